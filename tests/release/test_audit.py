"""pip-audit itself asks a database on this machine; its answer is judged with the ignored advisories."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.release.advisories import (
    Advisory,
    Audited,
    Ignored,
    Report,
    read_ignored,
    read_report,
    wrong_with_report,
)
from tests.release.checkout import REPOSITORY, ReleaseError
from tests.release.pins import Pin
from tests.testkit.http_receiver import Answer, Receiver, Request
from tests.testkit.ports import find_free_port

TODAY = date(2026, 5, 1)
PIN = Pin("hiredis", "3.5.0", None, ())
ADVISORY = Advisory("PYSEC-2026-1", ("3.5.1",), ("CVE-2026-0001",))
FOUND = Report((Audited("hiredis", "3.5.0", (ADVISORY,)),))
REQUIREMENTS = f"hiredis==3.5.0 --hash=sha256:{'a' * 64}\nanyio==4.16.0 --hash=sha256:{'b' * 64}\n"


def _ignored(until: date, name: str = "CVE-2026-0001", distribution: str = "hiredis") -> Ignored:
    return Ignored(id=name, distribution=distribution, reason="It is not called.", until=until)


def _wrong(report: Report, *ignored: Ignored, shipped: frozenset[str] = frozenset({"hiredis"})) -> list[str]:
    return wrong_with_report(report, [PIN], set(shipped), ignored, TODAY)


def test_an_advisory_is_said_with_all_its_names_and_what_fixes_it() -> None:
    advised = "PYSEC-2026-1, CVE-2026-0001; fixed in 3.5.1"
    assert _wrong(FOUND) == [f"hiredis 3.5.0 (shipped): {advised}"]
    assert _wrong(FOUND, shipped=frozenset()) == [f"hiredis 3.5.0 (for development): {advised}"]
    unfixed = Report((Audited("hiredis", "3.5.0", (Advisory("X\x1b[2J"),)),))
    assert _wrong(unfixed) == ["hiredis 3.5.0 (shipped): X?[2J; no version fixes it"]


def test_an_advisory_is_ignored_by_any_of_its_names_until_the_last_day() -> None:
    assert _wrong(FOUND, _ignored(TODAY)) == []
    assert _wrong(FOUND, _ignored(TODAY + timedelta(days=180), "PYSEC-2026-1")) == []


def test_an_exception_that_has_ended_is_said_with_the_advisory() -> None:
    ended, advised = _wrong(FOUND, _ignored(TODAY - timedelta(days=1)))
    assert ended == "hiredis: CVE-2026-0001 was ignored until 2026-04-30 only"
    assert advised.startswith("hiredis 3.5.0 (shipped): PYSEC-2026-1")


def test_an_exception_does_not_last_for_ever() -> None:
    (said,) = _wrong(FOUND, _ignored(TODAY + timedelta(days=181)))
    assert said == "hiredis: CVE-2026-0001 is ignored until 2026-10-29, more than 180 days from now"


def test_an_exception_that_nothing_needs_is_a_fault() -> None:
    nothing = Report((Audited("hiredis", "3.5.0"),))
    needless = "hiredis: nothing reports CVE-2026-0001 any more; remove it from advisories.toml"
    assert _wrong(nothing, _ignored(TODAY)) == [needless]
    assert len(_wrong(FOUND, _ignored(TODAY, distribution="anyio"))) == 2


def test_a_distribution_that_was_left_out_is_a_fault() -> None:
    assert _wrong(Report(())) == ["hiredis 3.5.0 was not audited"]
    skipped = Report((Audited("hiredis", skip_reason="not found"),))
    assert _wrong(skipped) == ["hiredis 3.5.0 was not audited"]


@pytest.mark.parametrize("output", ["", "ERROR", "[]", "{}", '{"dependencies": [{}]}'])
def test_output_without_a_report_is_none(output: str) -> None:
    assert read_report(output) is None


@pytest.mark.parametrize(
    "entry",
    [
        'id = "X"\ndistribution = "d"\nuntil = 2026-12-31',
        'id = "X"\ndistribution = "d"\nreason = " "\nuntil = 2026-12-31',
        'id = "X"\ndistribution = "d"\nreason = "r"',
        'id = "X"\ndistribution = "d"\nreason = "r"\nuntil = "soon"',
        'id = "X"\ndistribution = "d"\nreason = "r"\nuntil = 2026-12-31\nmore = 1',
        "not TOML",
    ],
)
def test_an_exception_without_reason_or_last_day_is_refused(entry: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"^advisories\.toml: "):
        read_ignored(_write(tmp_path / "advisories.toml", f"[[ignored]]\n{entry}\n"))


def test_our_exceptions_can_be_read() -> None:
    assert all(each.reason for each in read_ignored())


def test_nothing_known_against_anything_exits_with_0(tmp_path: Path) -> None:
    with Receiver(lambda _: Answer(body={})) as database:
        code, output = _audit(tmp_path, database.url)
        asked = [request.json()["package"]["name"] for request in database.requests]
    assert (code, sorted(asked)) == (0, ["anyio", "hiredis"])
    assert "asked about 2 distributions: nothing wrong" in output


def test_an_advisory_exits_with_1_unless_it_is_ignored(tmp_path: Path) -> None:
    until = datetime.now(UTC).date() + timedelta(days=2)
    entry = f'[[ignored]]\nid = "CVE-2026-0001"\ndistribution = "hiredis"\nreason = "r"\nuntil = {until}\n'
    with Receiver(_advise) as database:
        code, output = _audit(tmp_path, database.url)
        assert (code, "hiredis 3.5.0 (shipped): PYSEC-2026-1, CVE-2026-0001; fixed in 3.5.1" in output) == (
            1,
            True,
        )
        code, output = _audit(tmp_path, database.url, entry)
    assert (code, f"ignored until {until}: CVE-2026-0001 in hiredis: r" in output) == (0, True)


@pytest.mark.parametrize("answer", [Answer(500), Answer(body=b"<html>"), Answer(404, {})])
def test_a_database_that_cannot_be_asked_exits_with_3(answer: Answer, tmp_path: Path) -> None:
    with Receiver(lambda _: answer) as database:
        code, output = _audit(tmp_path, database.url)
    assert code == 3
    assert "The database of advisories cannot be asked: " in output
    assert "Nothing is known about the 2 pinned distributions." in output


def test_without_a_network_it_exits_with_3(tmp_path: Path) -> None:
    assert _audit(tmp_path, f"http://127.0.0.1:{find_free_port()}")[0] == 3


def test_a_list_that_cannot_be_read_exits_with_2_and_asks_nobody(tmp_path: Path) -> None:
    with Receiver(_advise) as database:
        assert _audit(tmp_path, database.url, "[[ignored]]")[0] == 2
        assert database.requests == []


def _advise(request: Request) -> Answer:
    if request.json()["package"]["name"] != "hiredis":
        return Answer(body={})
    events = [{"introduced": "0"}, {"fixed": "3.5.1"}]
    affected: dict[str, Any] = {
        "package": {"name": "hiredis", "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return Answer(
        body={"vulns": [{"id": "PYSEC-2026-1", "aliases": ["CVE-2026-0001"], "affected": [affected]}]}
    )


def _audit(directory: Path, url: str, ignored: str = "") -> tuple[int, str]:
    """Return the exit code and all output."""
    command = [sys.executable, "-m", "tests.release.audit", "--database-url", f"{url}/v1/query"]
    command += ["--requirements", str(_write(directory / "requirements.txt", REQUIREMENTS))]
    command += ["--ignored", str(_write(directory / "advisories.toml", ignored))]
    environment = os.environ | {"XDG_CACHE_HOME": str(directory)}
    answer = subprocess.run(
        command, cwd=REPOSITORY, env=environment, check=False, capture_output=True, text=True, timeout=120
    )
    return answer.returncode, answer.stdout + answer.stderr


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
