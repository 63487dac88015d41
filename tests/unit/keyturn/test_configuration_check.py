"""``keyturn config check``: settings are checked, and nothing is started."""

import json
import os
from pathlib import Path

import pytest

from keyturn.configuration.check import run_check
from keyturn_shared.sealing import KeyRing


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("KEYTURN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KEYTURN_FLEET_KEYS", KeyRing.generate_key())
    return monkeypatch


@pytest.mark.parametrize("program", ["verifier", "fetcher"])
def test_good_settings_are_valid(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_check(program, None, as_json=False) == 0
    assert capsys.readouterr().out == f"The settings of {program} are valid\n"


def test_each_problem_has_a_line(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    environment.setenv("KEYTURN_PROT", "1")
    assert run_check("credentials", None, as_json=False) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[-1] for line in lines] == [
        " no program of keyturn reads this variable; did you mean KEYTURN_PORT?",
        " required, but not set",
    ]


def test_programs_get_json(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    environment.setenv("KEYTURN_WORKERS", "none")
    assert run_check("verifier", None, as_json=True) == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["program"], found["valid"], len(found["problems"])) == ("verifier", False, 1)


def test_the_agents_file_is_checked(
    tmp_path: Path, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        'issuer = "http://127.0.0.1:8080/realms/demo"\nclient_id = "orders"\n'
        'state = "s.json"\nsocket = "s.sock"\n'
    )
    environment.chdir(tmp_path)
    assert run_check("agent", file, as_json=False) == 2
    assert "KEYTURN_AGENT_SECRET" in capsys.readouterr().err
    environment.setenv("KEYTURN_AGENT_SECRET", "a-secret-that-is-long-enough-for-it")
    assert run_check("agent", file, as_json=False) == 0, capsys.readouterr().err


@pytest.mark.parametrize(("program", "file"), [("agent", None), ("verifier", Path("x.toml"))])
def test_a_file_belongs_to_the_agent_alone(
    program: str, file: Path | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_check(program, file, as_json=False) == 2
    assert "file" in capsys.readouterr().err
