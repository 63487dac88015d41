"""The parts of a backup, and their encoding: JSON, except for rows, which are MessagePack."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec

from keyturn_credentials.backup.errors import BackupError

Value = str | int | float | bool | bytes | None
Row = Sequence[Value]


class ValueKind(StrEnum):
    """The type of a column's values, the same for every database. JSON is kept as text."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    BYTES = "bytes"
    JSON = "json"


class LogState(msgspec.Struct, frozen=True):
    """The event log at the moment of the backup. ``head``: sequence of the newest event, 0 for none;
    ``head_id`` and ``head_at`` (NumericDate seconds): its id and time. ``epoch``: the newest one opened from
    it, 0 for none. ``shut_down``: whether the fleet had been shut down cleanly."""

    identity: str
    head: int
    head_id: str | None
    head_at: float | None
    epoch: int
    shut_down: bool


class Header(msgspec.Struct, frozen=True):
    """The subject of a backup. ``schema``: revision of the database's schema. ``created_at``: NumericDate
    seconds. ``database``: ``sqlite`` or ``postgresql``, where it was made."""

    release: str
    schema: str
    created_at: float
    database: str
    log: LogState


class Column(msgspec.Struct, frozen=True):
    name: str
    kind: ValueKind


class TableShape(msgspec.Struct, frozen=True):
    """A table with its columns, in the order of the values in its rows."""

    name: str
    columns: tuple[Column, ...]


class Digests(msgspec.Struct, frozen=True):
    """Secrets of a realm's clients that are stored as digests only, under one fleet or realm key."""

    realm_id: str
    realm: str
    key: str
    secrets: int


class Summary(msgspec.Struct, frozen=True):
    """The contents of a backup. ``rows``: their number by table. ``encryption_keys``: ids of the keys under
    which values are sealed. ``digests``: what only the named fleet keys can check. Digests of secrets that
    are stored sealed as well are not listed: the service makes them anew."""

    rows: dict[str, int]
    encryption_keys: tuple[str, ...]
    digests: tuple[Digests, ...]


class End(msgspec.Struct, frozen=True):
    """``sha256``: of everything before this part, as hexadecimal. ``seal``: HMAC of that under the first
    encryption key, which shows that who made the backup had it."""

    sha256: str
    seal: str


Part = TypeVar("Part", Header, TableShape, Summary, End)

_encoder: Final = msgspec.json.Encoder()
_pack: Final = msgspec.msgpack.Encoder()
_unpack: Final = msgspec.msgpack.Decoder(list[list[Any]])


def encode_part(part: Header | TableShape | Summary | End) -> bytes:
    return _encoder.encode(part)


def decode_part(payload: bytes, kind: type[Part]) -> Part:
    """Decode a part. Raises BackupError."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupError("the backup is damaged: a part cannot be read") from error


def encode_rows(rows: Sequence[Row]) -> bytes:
    return _pack.encode(rows)


def decode_rows(payload: bytes, shape: TableShape) -> list[list[Value]]:
    """Decode rows with a value for each column. Raises BackupError."""
    try:
        rows = _unpack.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupError("the backup is damaged: rows cannot be read") from error
    if any(len(row) != len(shape.columns) for row in rows):
        raise BackupError(f"the backup is damaged: a row of {shape.name} has another number of values")
    return rows
