"""Descriptions of backups for people and programs. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from keyturn.terminal_text import counted, printable
from keyturn_credentials.backup.checking import Checked
from keyturn_credentials.backup.contents import Digests, Summary
from keyturn_credentials.backup.replacing import Present
from keyturn_credentials.backup.restoring import Restored
from keyturn_credentials.backup.taking import Description

_SHOWN: Final = 3


def as_document(description: Description) -> dict[str, Any]:
    """Return the description of a backup as JSON members."""
    header = msgspec.to_builtins(description.header)
    summary = msgspec.to_builtins(description.summary)
    return {**header, **summary, "bytes": description.octets}


def backup_lines(file: Path, description: Description) -> Iterator[str]:
    yield f"Backed up {_contents(description)}"
    yield from _file_lines(file, description)


def check_lines(file: Path, checked: Checked) -> Iterator[str]:
    yield f"A backup of {_contents(checked.description)}"
    yield from _file_lines(file, checked.description)
    yield "It is whole, and these settings have the encryption keys that it needs"
    yield from _unchecked_lines(checked.unchecked)


def restore_lines(restored: Restored) -> Iterator[str]:
    description = restored.checked.description
    yield f"Restored {_contents(description)}"
    if restored.replaced is not None:
        yield f"Replaced: {loss(restored.replaced)}"
    yield from _unchecked_lines(restored.checked.unchecked)
    yield (
        "Changes after the backup are lost: revoke again what was revoked since"
        f" {_time(description.header.created_at)}"
    )
    yield "Now start the credentials processes. Nodes and Redis need nothing: a new epoch begins"


def loss(present: Present) -> str:
    """Return what a database has."""
    newest = "" if present.newest_at is None else f" of {_time(present.newest_at)}"
    contents = f"{counted(present.realms, 'realm')} and {counted(present.clients, 'client')}"
    return f"{contents}; the newest change is {present.head}{newest}"


def _contents(description: Description) -> str:
    log, rows = description.header.log, description.summary.rows
    head = "no change" if log.head_at is None else f"change {log.head} of {_time(log.head_at)}"
    realms, clients = rows.get("realms", 0), rows.get("clients", 0)
    return f"{counted(realms, 'realm')} and {counted(clients, 'client')}, up to {head}"


def _file_lines(file: Path, description: Description) -> Iterator[str]:
    header, summary = description.header, description.summary
    rows = counted(sum(summary.rows.values()), "row")
    yield (
        f"{printable(str(file))}: {rows}, {counted(description.octets, 'byte')}, made"
        f" {_time(header.created_at)} by release {printable(header.release)}, schema"
        f" {printable(header.schema)}, epoch {header.log.epoch}"
    )
    yield f"It needs encryption {_keys(summary)}, which must be kept elsewhere"


def _keys(summary: Summary) -> str:
    ids = [printable(key) for key in summary.encryption_keys]
    return f"{'key' if len(ids) == 1 else 'keys'} {', '.join(ids)}"


def _unchecked_lines(unchecked: Iterable[Digests]) -> Iterator[str]:
    found = list(unchecked)
    for each in found[:_SHOWN]:
        yield (
            f"KEYTURN_FLEET_KEYS lacks key {printable(each.key)} of {counted(each.secrets, 'secret')} in"
            f" realm {printable(each.realm)} that is stored as a digest only: refused until it is regenerated"
        )
    if len(found) > _SHOWN:
        yield f"and {len(found) - _SHOWN} more realms with such secrets"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
