"""systemd understands the units, finds them hardened, and their processes accept their settings."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from keyturn_credentials.settings import CredentialsSettings
from tests.testkit.known_settings import known_settings, read_settings
from tests.testkit.probe_options import probe_parameters
from tests.testkit.systemd import complaint_of_systemd, exec_words, is_exposed
from tests.testkit.tools import REPOSITORY

DEPLOY: Final = REPOSITORY / "deploy"
UNITS: Final = {
    "credentials": "keyturn-credentials.service",
    "verifier": "keyturn-verifier@.service",
    "fetcher": "keyturn-fetcher.service",
    "probe": "keyturn-probe.service",
}
SERVICES: Final = ("credentials", "verifier", "fetcher")
"""Processes with settings; a prober has options."""
_INSTANCE: Final = "8091"
_INSTALLED: Final = "/opt/keyturn/bin/keyturn"


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SERVICES)
def process(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _text(process: str) -> str:
    return (DEPLOY / "systemd" / UNITS[process]).read_text()


def _as_installed(process: str, directory: Path, *, old: str = "", new: str = "") -> Path:
    """Write the unit with a program that is there; return its path, of a template as an instance."""
    text = _text(process).replace(_INSTALLED, str(Path(sys.executable).with_name("keyturn")))
    text = text.replace("/bin/kill", "/bin/sh")  # a machine without systemd may lack it
    unit = directory / UNITS[process].replace("@", f"@{_INSTANCE}")
    (directory / UNITS[process]).write_text(text.replace(old, new))
    unit.write_text(text.replace(old, new))
    return unit


def _values(process: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", _text(process), re.MULTILINE)


def test_there_are_no_other_units() -> None:
    assert {file.name for file in (DEPLOY / "systemd").glob("*.service")} == set(UNITS.values())


def test_systemd_understands_a_unit(unit: str, tmp_path: Path) -> None:
    assert complaint_of_systemd(_as_installed(unit, tmp_path)) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [("ProtectHome=yes", "ProtectHomes=yes"), ("Type=exec", "Type=program"), (" verifier", "")],
)
def test_a_unit_that_systemd_does_not_understand_is_noticed(old: str, new: str, tmp_path: Path) -> None:
    if not new:
        old, new = str(Path(sys.executable).with_name("keyturn")), "/nowhere/keyturn"
    assert complaint_of_systemd(_as_installed("verifier", tmp_path, old=old, new=new))


def test_systemd_finds_a_unit_hardened(unit: str, tmp_path: Path) -> None:
    assert not is_exposed(_as_installed(unit, tmp_path))


def test_a_unit_that_is_not_hardened_is_noticed(tmp_path: Path) -> None:
    assert is_exposed(_as_installed("fetcher", tmp_path, old="ProtectSystem=strict\n", new="")) or is_exposed(
        _as_installed("fetcher", tmp_path, old="CapabilityBoundingSet=\n", new="")
    )


def test_a_unit_runs_its_process(process: str) -> None:
    assert _values(process, "ExecStart") == [f"{_INSTALLED} {process}"]


def test_a_unit_is_started_again_unless_something_is_set_wrong(unit: str) -> None:
    assert _values(unit, "RestartPreventExitStatus") == ["2"], "the code of a wrong setting"
    assert _values(unit, "Restart") == ["always"]


def test_the_prober_of_the_unit_takes_its_options() -> None:
    """It asks the nodes that docs/systemd.md starts, and the credentials service of its unit."""
    (command,) = _values("probe", "ExecStart")
    assert command.startswith(f"{_INSTALLED} probe ")
    parameters = probe_parameters(exec_words(command, _values("probe", "Environment"))[1:])
    page = (REPOSITORY / "docs" / "systemd.md").read_text()
    ports = re.findall(r"keyturn-verifier@(\d+)", page.partition("systemctl enable")[2].partition("\n")[0])
    assert parameters["node"] == [f"http://127.0.0.1:{port}" for port in ports]
    assert f"KEYTURN_PORT={urlsplit(parameters['server']).port}" in _values("credentials", "Environment")
    assert str(parameters["secret_file"]) == "/credentials/prober_secret"
    assert _values("probe", "LoadCredential") == ["prober_secret:/etc/keyturn/secrets/prober_secret"]
    assert parameters["metrics_address"] == "127.0.0.1:8084"
    assert not parameters["once"]
    assert not parameters["insecure_http"]


def _environment(process: str) -> Iterator[tuple[str, str]]:
    """Yield the variables: of the common file, and then of the unit."""
    for line in (DEPLOY / "systemd" / "keyturn.env").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name, value
    for each in _values(process, "Environment"):
        name, _, value = each.partition("=")
        yield name, value.replace("%i", _INSTANCE).replace("%l", "host").replace("%d", "/credentials")


def test_every_setting_is_one_of_keyturn(process: str) -> None:
    """The common file has settings of all processes: each is known to one of them."""
    unit = {each.partition("=")[0] for each in _values(process, "Environment")}
    assert unit <= known_settings(process)
    of_any = known_settings("credentials") | known_settings("verifier")
    assert {name for name, _ in _environment(process)} <= of_any


def test_a_process_accepts_its_settings(
    process: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([tmp_path / "deploy" / "make-secrets"], check=True, capture_output=True, timeout=20)
    known = {name: value for name, value in _environment(process) if name in known_settings(process)}
    settings = read_settings(process, known, tmp_path / "deploy" / "secrets", monkeypatch)
    assert str(settings.public_url) == "https://id.example.com/"
    ports = {"credentials": "8081", "verifier": _INSTANCE, "fetcher": "8083"}
    assert known["KEYTURN_PORT"] == ports[process]
    if isinstance(settings, CredentialsSettings):
        assert settings.log_signing_keys is not None


def test_each_secret_is_a_credential_from_its_own_file(process: str) -> None:
    loaded = dict(each.split(":") for each in _values(process, "LoadCredential"))
    assert loaded == {name: f"/etc/keyturn/secrets/{name}" for name in loaded}
    files = [value for name, value in _environment(process) if name.endswith("_FILE")]
    assert sorted(files) == sorted(f"/credentials/{name}" for name in loaded)


def test_units_show_their_processes_the_same_secrets_as_containers() -> None:
    """Nodes see neither the database nor its keys, a fetcher nothing of clients."""
    node = {"verifier_redis_url", "fleet_keys", "log_verification_keys", "fetcher_keys"}
    loaded = {name: {each.split(":")[0] for each in _values(name, "LoadCredential")} for name in SERVICES}
    assert loaded["verifier"] == node
    assert loaded["fetcher"] == {"verifier_redis_url", "fetcher_keys"}
    assert {"database_url", "encryption_keys", "log_signing_keys"} <= loaded["credentials"]


def test_units_are_hardened_alike() -> None:
    parts = [
        _text(process).partition("# The process needs")[2].partition("[Install]")[0] for process in UNITS
    ]
    assert len(set(parts)) == 1
    assert "NoNewPrivileges=yes" in parts[0]
