"""Credentials that end: each is found, and nothing else."""

import base64
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from keyturn.doctor.findings import Area
from tests.integration.doctor.examining import Installation, diagnosed
from tests.testkit.nodes import TestClock

_EXPIRY = frozenset({Area.EXPIRY})
_DAY = 86_400
_AUTOMATIC = {"keyturn.secret.expiration-period": str(10 * _DAY)}
_SOON = {**_AUTOMATIC, "keyturn.rotation.automatic": "false"}


def days_ahead(days: float) -> TestClock:
    clock = TestClock()
    clock.ahead = days * _DAY
    return clock


def database_of(installation: Installation) -> sqlite3.Connection:
    return sqlite3.connect(Path(installation.settings.database_url.partition("///")[2]))


async def make_client(installation: Installation, **representation: Any) -> str:
    return await installation.api.create("/acme/clients", {"clientId": "orders", **representation})


@pytest.mark.parametrize(
    ("attributes", "days", "codes"),
    [
        ({}, 0, []),
        (_SOON, 0, ["secret_ending"]),
        (_SOON, 11, ["secret_ended"]),
        (_AUTOMATIC, 0, []),
    ],
)
async def test_a_secret_that_ends(
    installation: Installation, attributes: dict[str, str], days: int, codes: list[str]
) -> None:
    await make_client(installation, attributes=attributes)
    exit_code = int("secret_ended" in codes)
    assert await diagnosed(installation.settings, _EXPIRY, clock=days_ahead(days)) == (codes, exit_code)


async def test_a_client_that_is_disabled_is_not_reported(installation: Installation) -> None:
    await make_client(installation, attributes=_SOON, enabled=False)
    assert await diagnosed(installation.settings, _EXPIRY, clock=days_ahead(11)) == ([], 0)


@pytest.mark.parametrize(
    ("days_left", "codes"), [(20, []), (5, ["certificate_ending"]), (-5, ["certificate_ended"])]
)
async def test_a_certificate_that_ends(installation: Installation, days_left: int, codes: list[str]) -> None:
    uuid = await make_client(installation, clientAuthenticatorType="client-jwt")
    made = await installation.api.call("POST", f"/acme/clients/{uuid}/certificates/jwt.credential/generate")
    assert made.status_code == 200
    certificate = x509.load_der_x509_certificate(base64.b64decode(made.json()["certificate"]))
    ends = (certificate.not_valid_after_utc.timestamp() - time.time()) / _DAY - days_left
    # By then, the realm's keys are overdue as well.
    found, code = await diagnosed(installation.settings, _EXPIRY, clock=days_ahead(ends))
    assert ([each for each in found if each != "realm_key_overdue"], code) == (codes, 1)


async def test_a_realm_key_that_upkeep_does_not_replace(installation: Installation) -> None:
    with database_of(installation) as database:
        overdue = "UPDATE admin_keys SET state_since = state_since - 91 * 86400 WHERE state = 'active'"
        database.execute(f"{overdue} AND realm_id IN (SELECT id FROM realms WHERE name = 'acme')")
    assert await diagnosed(installation.settings, _EXPIRY) == (["realm_key_overdue"], 1)


async def test_a_rotation_that_waits_for_a_person(installation: Installation) -> None:
    uuid = await make_client(installation)
    started = await installation.api.call("POST", f"/acme/clients/{uuid}/rotations", json={})
    assert started.status_code < 300, started.text
    with database_of(installation) as database:
        ((identifier, text),) = database.execute("SELECT id, document FROM rotations").fetchall()
        document = json.dumps(json.loads(text) | {"alert": "successor_unused"})
        database.execute("UPDATE rotations SET document = ? WHERE id = ?", (document, identifier))
    assert await diagnosed(installation.settings, _EXPIRY) == (["rotation_alert"], 0)


@pytest.mark.parametrize("written", [None, "no key's id", 5])
async def test_a_secret_that_cannot_be_decrypted_hides_no_other(
    installation: Installation, written: object
) -> None:
    """Somebody, or a disk, has changed a row: one of the clients whose secret ends, and which have a URL."""
    by_url = {"use.jwks.url": "true", "jwks.url": "https://client.example/jwks"}
    await make_client(installation, attributes=_SOON | by_url)
    await make_client(installation, clientId="another", attributes=_SOON | by_url)
    with database_of(installation) as database:
        where = "WHERE client_id = 'orders'"
        ((text,),) = database.execute(f"SELECT secrets FROM clients {where}").fetchall()
        secrets = json.loads(text)
        secrets["current"]["sealed"] = written or secrets["current"]["sealed"][:-4] + "AAAA"
        database.execute(f"UPDATE clients SET secrets = ? {where}", (json.dumps(secrets),))
    codes = ["secret_ending", "secret_ending", "secret_unreadable"]
    assert await diagnosed(installation.settings, _EXPIRY | {Area.KEY_SETS}) == (codes, 1)
