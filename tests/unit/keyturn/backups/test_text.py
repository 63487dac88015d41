"""Backups describe themselves in plain sentences."""

from pathlib import Path

from keyturn.backups.text import as_document, backup_lines, check_lines, loss, restore_lines
from keyturn_credentials.backup.checking import Checked
from keyturn_credentials.backup.contents import Digests, Header, LogState, Summary
from keyturn_credentials.backup.replacing import Present
from keyturn_credentials.backup.restoring import Restored
from keyturn_credentials.backup.taking import Description

LOG = LogState("log", 482, "event", 1_796_000_000.0, 1_795_000_000_000, shut_down=False)
HEADER = Header("1.2.3", "0016", 1_796_000_100.0, "sqlite", LOG)
LOST = Digests("r", "acme", "aaaa", 12)
DESCRIPTION = Description(
    HEADER, Summary({"realms": 1, "clients": 1200, "events": 482}, ("bbbb", "cccc"), (LOST,)), 4_000_000
)
CHECKED = Checked(DESCRIPTION, "digest", [])


def test_a_backup() -> None:
    assert list(backup_lines(Path("a.backup"), DESCRIPTION)) == [
        "Backed up 1 realm and 1,200 clients, up to change 482 of 2026-11-30 00:53:20 UTC",
        "a.backup: 1,683 rows, 4,000,000 bytes, made 2026-11-30 00:55:00 UTC by release 1.2.3, schema 0016,"
        " epoch 1795000000000",
        "It needs encryption keys bbbb, cccc, which must be kept elsewhere",
    ]


def test_a_check_names_what_fleet_keys_are_missing() -> None:
    *_, whole, unchecked = check_lines(Path("a"), Checked(DESCRIPTION, "digest", [LOST]))
    assert whole.startswith("It is whole")
    assert unchecked.startswith("KEYTURN_FLEET_KEYS lacks key aaaa of 12 secrets in realm acme")
    *_, more = check_lines(Path("a"), Checked(DESCRIPTION, "digest", [LOST] * 5))
    assert more == "and 2 more realms with such secrets"


def test_a_restoration_names_what_it_replaced() -> None:
    present = Present("0016", 2, 1, 5, 1_796_000_200.0)
    assert loss(present) == "2 realms and 1 client; the newest change is 5 of 2026-11-30 00:56:40 UTC"
    assert loss(Present("0016", 0, 0, 0, None)) == "0 realms and 0 clients; the newest change is 0"
    lines = list(restore_lines(Restored(CHECKED, present)))
    assert lines[1] == f"Replaced: {loss(present)}"
    assert "revoke again what was revoked since 2026-11-30 00:55:00 UTC" in lines[2]
    assert len(list(restore_lines(Restored(CHECKED, None)))) == 3


def test_a_program_gets_everything() -> None:
    document = as_document(DESCRIPTION)
    assert document["log"]["head"] == 482
    assert document["rows"]["clients"] == 1200
    assert list(document["digests"]) == [{"realm_id": "r", "realm": "acme", "key": "aaaa", "secrets": 12}]
    assert document["bytes"] == 4_000_000
