"""The page on the doctor has every code with meaning and advice, every option, and the limits in force."""

import re
from pathlib import Path

import pytest
import typer

from keyturn.cli import app
from keyturn.doctor import (
    audit_area,
    audit_judgement,
    database_judgement,
    fleet_judgement,
    gateway_judgement,
    key_sets_area,
    redis_judgement,
)
from keyturn.doctor.diagnoses import DIAGNOSES
from keyturn.doctor.findings import Area, ExitCode
from keyturn_credentials.domain.diagnosis import Diagnosis
from keyturn_credentials.domain.notice_lead import DEFAULT_LEAD_SECONDS

PAGE = (Path(__file__).parents[3] / "docs" / "doctor.md").read_text()
LINES = PAGE.splitlines()
_DAY = 86_400


@pytest.mark.parametrize("diagnosis", DIAGNOSES, ids=lambda each: str(each.code))
def test_every_code_is_on_the_page_as_it_is_printed(diagnosis: Diagnosis) -> None:
    cells = (f"`{diagnosis.code}`", diagnosis.severity.value, diagnosis.means, diagnosis.advice)
    assert f"| {' | '.join(cells)} |" in LINES


def test_no_other_code_is_on_the_page() -> None:
    told = re.findall(r"^\| `([a-z_]+)` \| (?:problem|warning) \|", PAGE, re.MULTILINE)
    assert told == [each.code for each in DIAGNOSES]


def test_every_exit_code_and_every_area_is_there() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)] == list(ExitCode)
    assert re.findall(r"^### ([a-z-]+)$", PAGE, re.MULTILINE) == list(Area)


def test_every_option_is_there() -> None:
    command = typer.main.get_command(app).commands["doctor"]  # type: ignore[attr-defined]  # of a group
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    assert set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE)) == options - {"--help"}


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("round trip to the database, median of five", f"{database_judgement.SLOW_SECONDS * 1000:.0f} ms"),
        ("round trip to Redis, median of five", f"{redis_judgement.SLOW_SECONDS * 1000:.0f} ms"),
        ("Redis' memory", f"{redis_judgement.MEMORY_SHARE * 100:.0f} % of `maxmemory`"),
        ("clocks of Redis and of nodes", f"{redis_judgement.CLOCK_SECONDS:.0f} s apart"),
        ("clocks of Redis and of nodes", f"{fleet_judgement.CLOCK_SECONDS:.0f} s apart"),
        ("silence of the relay", f"more than {redis_judgement.RELAY_SILENT_MS // 1000} s"),
        (
            "secrets and certificates, of the gateway too",
            f"{DEFAULT_LEAD_SECONDS / _DAY:.0f} days before they end",
        ),
        (
            "secrets and certificates, of the gateway too",
            f"{gateway_judgement.SOON_SECONDS / _DAY:.0f} days before they end",
        ),
        ("audit entries that are not in the chain", f"more than {audit_judgement.WAITING_SECONDS:.0f} s"),
        ("audit entries that the service suspects", f"among the newest {audit_area.AMONG:,}"),
        ("fetches of JWKS URLs", f"{key_sets_area.OVERDUE_SECONDS:.0f} s late"),
        (
            "PostgreSQL, Redis",
            f"older than {database_judgement.OLDEST_POSTGRESQL}, older than {redis_judgement.OLDEST[0]}",
        ),
        (
            "disk of SQLite",
            f"less than {database_judgement.LEAST_FREE_BYTES // 1024**2} MiB free, or less than"
            f" {database_judgement.LEAST_FREE_SHARE * 100:.0f} % and 5 GiB",
        ),
    ],
)
def test_the_limits_are_those_in_force(what: str, limit: str) -> None:
    assert f"| {what} | {limit} |" in LINES
