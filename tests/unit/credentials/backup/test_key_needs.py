"""A backup names the keys that it needs."""

import json

import pytest

from keyturn_credentials.backup.contents import Column, Digests, TableShape, Value, ValueKind
from keyturn_credentials.backup.document import Rows
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.backup.key_needs import KeyNeeds, missing_encryption_keys, unchecked_digests
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing

OLD, NEW = (KeyRing([key * 32], purpose="encryption") for key in (b"o", b"n"))
FLEET, LOST = (FleetRing([key * 32], by_realm=True) for key in (b"f", b"l"))


def rows(table: str, columns: str, *values: list[Value]) -> Rows:
    shape = TableShape(table, tuple(Column(name, ValueKind.TEXT) for name in columns.split()))
    return Rows(shape, list(values))


def secrets(*, sealed: str | None, digest: str) -> str:
    return json.dumps(
        {"current": {"digest": digest, "sealed": sealed, "created_at": 1.0, "expires_at": None}}
    )


def needs() -> KeyNeeds:
    found = KeyNeeds()
    found.note(rows("realms", "name id", ["acme", "r1"], ["beta", "r2"]))
    found.note(rows("realm_keys", "kid sealed_private_jwk", ["a", OLD.seal(b"k", "c")], ["b", None]))
    lost = LOST.find("r2").digest("s", "c")
    found.note(
        rows(
            "clients",
            "secrets realm_id",
            [secrets(sealed=NEW.seal(b"s", "c"), digest=lost), "r1"],
            [secrets(sealed=None, digest=lost), "r2"],
            [secrets(sealed=None, digest=lost), "r2"],
            [secrets(sealed=None, digest=FLEET.find("r1").digest("s", "c")), "r1"],
            ["{}", "r1"],
        )
    )
    found.note(rows("events", "payload", ["anything"]))
    return found


def test_keys_that_seal_and_those_of_bare_digests_are_named() -> None:
    summary = needs().summary({"realms": 2})
    assert summary.rows == {"realms": 2}
    assert set(summary.encryption_keys) == {OLD.current_key_id, NEW.current_key_id}
    of_lost = Digests("r2", "beta", LOST.find("r2").current_key_id, 2)
    assert summary.digests == (Digests("r1", "acme", FLEET.find("r1").current_key_id, 1), of_lost)
    assert missing_encryption_keys(summary, NEW) == [OLD.current_key_id]
    assert missing_encryption_keys(summary, KeyRing([b"n" * 32, b"o" * 32], purpose="encryption")) == []
    assert unchecked_digests(summary, FLEET) == [of_lost]
    assert unchecked_digests(summary, FleetRing([b"l" * 32, b"f" * 32])) == []


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(BackupError, match="table clients has no column realm_id"):
        KeyNeeds().note(rows("clients", "secrets", ["{}"]))


@pytest.mark.parametrize("altered", ["", "no seal", "1"])
def test_a_secret_that_was_altered_keeps_nobody_from_a_backup(altered: str) -> None:
    found = KeyNeeds()
    found.note(rows("clients", "secrets realm_id", [secrets(sealed=altered, digest="1.x.y"), "r1"]))
    assert missing_encryption_keys(found.summary({}), NEW) == []
