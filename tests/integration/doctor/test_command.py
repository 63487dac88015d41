"""The command ends in time, shows no secret whatever is wrong, and has a documented exit code."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from keyturn.doctor.findings import Area
from keyturn.doctor.running import Order, run
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.integration.doctor.examining import installed
from tests.testkit.credentials_process import environment

_SECONDS = 110.0
_PASSWORD = "a-password-of-the-test"
_OTHER_PASSWORD = "an%40other-password"
_MALFORMED = "not-a-key-but-somebody-believes-so"


def doctor(variables: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
    return subprocess.run(
        [sys.executable, "-m", "keyturn", "doctor", *options],
        env=ours | variables,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def variables_with(tmp_path: Path, **changed: str) -> dict[str, str]:
    return {
        "KEYTURN_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'keyturn.db'}",
        "KEYTURN_REDIS_URL": f"redis://user:{_PASSWORD}@127.0.0.1:1/0",
        "KEYTURN_PUBLIC_URL": "http://127.0.0.1:1",
        "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key(),
        "KEYTURN_FLEET_KEYS": KeyRing.generate_key(),
        "KEYTURN_LOG_SIGNING_KEYS": LogSigningKeys.generate_key(),
        "KEYTURN_JWKS_PROXY": f"http://user:{_OTHER_PASSWORD}@127.0.0.1:1",
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": "the-secret-of-the-first-admin",
        **changed,
    }


def secrets_in(variables: dict[str, str]) -> set[str]:
    lists = (value for name, value in variables.items() if name.endswith(("_KEYS", "_SECRET")))
    single = {part for text in lists for part in text.split(",") if part}
    return single | {_PASSWORD, _OTHER_PASSWORD, _OTHER_PASSWORD.replace("%40", "@"), _MALFORMED}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"KEYTURN_DATABASE_URL": f"postgresql+asyncpg://user:{_PASSWORD}@127.0.0.1:1/keyturn"},
        {"KEYTURN_DATABASE_URL": f"postgresql+asyncpg://user:{_PASSWORD}@127.0.0.1:port/keyturn"},
        {"KEYTURN_DATABASE_URL": f"mysql://user:{_PASSWORD}@127.0.0.1/keyturn"},
        {"KEYTURN_REDIS_URL": f"redis+sentinel://user:{_OTHER_PASSWORD}@127.0.0.1:1/name"},
        {"KEYTURN_REDIS_URL": f"redis+cluster://user:{_OTHER_PASSWORD}@127.0.0.1:1"},
        {"KEYTURN_REDIS_URL": f"redis+cluster://user:{_OTHER_PASSWORD}@127.0.0.1:port"},
        {"KEYTURN_REDIS_URL": f"redis://user:{_PASSWORD}@127.0.0.1:port/0"},
        {"KEYTURN_REDIS_URL": f"http://user:{_PASSWORD}@127.0.0.1"},
        {"KEYTURN_ENCRYPTION_KEYS": _MALFORMED, "KEYTURN_FLEET_KEYS": f"{_MALFORMED},{_MALFORMED}"},
        {"KEYTURN_LOG_SIGNING_KEYS": _MALFORMED, "KEYTURN_JWKS_PROXY": f"https://user:{_PASSWORD}@host"},
        {"KEYTURN_PORT": "many", "KEYTURN_FLEET_KEYS_FILE": "/nowhere"},
    ],
    ids=str,
)
@pytest.mark.usefixtures("logs_as_before")
def test_a_fault_shows_no_secret(
    tmp_path: Path,
    changed: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    variables = variables_with(tmp_path, **changed)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(Order(None, frozenset(Area), 5.0, strict=False, as_json=False)) == 1
    shown = capsys.readouterr()
    assert shown.err == ""
    assert [secret for secret in secrets_in(variables) if secret in shown.out] == []


def test_json_shows_no_secret_either(tmp_path: Path) -> None:
    variables = variables_with(tmp_path)
    ended = doctor(variables, "--timeout", "5", "--json")
    found = [each["code"] for area in json.loads(ended.stdout)["areas"] for each in area["findings"]]
    assert found == ["database_unreachable", "redis_unreachable", "gateway_unreachable"]
    assert [secret for secret in secrets_in(variables) if secret in ended.stdout] == []


async def test_a_wrong_password_and_a_wrong_key_are_not_shown(
    settings: CredentialsSettings, redis: Redis, redis_url: str
) -> None:
    async with installed(settings, redis, node=False):
        pass
    right = redis_url.split(":")[2].split("@")[0]
    variables = environment(settings, 0) | {
        "KEYTURN_REDIS_URL": redis_url.replace(right, _PASSWORD),
        "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key(),
    }
    ended = await asyncio.to_thread(doctor, variables, "--only", "database", "--only", "redis")
    assert ended.returncode == 1
    assert all(code in ended.stdout for code in ("database_key_missing", "redis_password_wrong"))
    assert [secret for secret in secrets_in(variables) if secret in ended.stdout] == []


@pytest.mark.parametrize(
    ("variables", "options", "told"),
    [
        ({}, [], "no database given"),
        ({}, ["--data-dir", "nowhere"], "no stack has been started"),
        ({}, ["--only", "weather"], "weather"),
    ],
)
def test_a_run_without_an_installation_ends_with_2(
    variables: dict[str, str], options: list[str], told: str, tmp_path: Path
) -> None:
    ended = doctor(variables, *options)
    assert ended.returncode == 2
    assert told in ended.stderr


_HANGING = """
import time
from keyturn.doctor import running
from keyturn.doctor.findings import Area

async def hang(scene, areas):
    time.sleep(3600)

running.examine = hang
running.run(running.Order(None, frozenset(Area), 1.0, False, False))
"""


def test_a_disk_that_hangs_does_not_keep_the_command(tmp_path: Path) -> None:
    """It stops the event loop, and with it every time limit of asyncio."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
    ended = subprocess.run(
        [sys.executable, "-c", _HANGING],
        env=ours | variables_with(tmp_path),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert ended.returncode == 1
    assert "not finished in time" in ended.stderr
