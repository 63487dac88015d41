"""A backup from its beginning to its end: written in one go, and read with every rule of its format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from keyturn_credentials.backup.contents import (
    End,
    Header,
    Row,
    Summary,
    TableShape,
    Value,
    decode_part,
    decode_rows,
    encode_part,
    encode_rows,
)
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.backup.frames import FrameReader, FrameWriter, Kind
from keyturn_shared.sealing import KeyRing, SealError

_FRAME_BYTES: Final = 1024 * 1024
"""Size of a frame of rows from which the next one begins."""
_SEAL_CONTEXT: Final = "backup"


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table."""

    table: TableShape
    values: list[list[Value]]


class BackupWriter:
    """Writes a backup: header, each table with its rows, and the end. Raises BackupError."""

    def __init__(self, stream: BinaryIO, header: Header) -> None:
        self._frames = FrameWriter(stream)
        self._frames.write(Kind.HEADER, encode_part(header))
        self._table = ""
        self.rows: dict[str, int] = {}
        """Number of rows written, by table."""

    def begin_table(self, shape: TableShape) -> None:
        self._frames.write(Kind.TABLE, encode_part(shape))
        self._table = shape.name
        self.rows[shape.name] = 0

    def write_rows(self, rows: Sequence[Row]) -> None:
        """Write rows of the table that was begun last."""
        start, size = 0, 0
        for number, row in enumerate(rows):
            size += _size_of(row)
            if size >= _FRAME_BYTES:
                self._write(rows[start : number + 1])
                start, size = number + 1, 0
        self._write(rows[start:])

    def _write(self, rows: Sequence[Row]) -> None:
        if rows:
            self._frames.write(Kind.ROWS, encode_rows(rows))
            self.rows[self._table] += len(rows)

    def finish(self, summary: Summary, ring: KeyRing) -> None:
        """Write the summary, then digest and seal of everything."""
        self._frames.write(Kind.SUMMARY, encode_part(summary))
        digest = self._frames.digest
        self._frames.write(Kind.END, encode_part(End(digest, ring.digest(digest, _SEAL_CONTEXT))))


def _size_of(row: Row) -> int:
    return sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)


def read_parts(stream: BinaryIO) -> Iterator[Header | TableShape | Rows | Summary | End]:
    """Yield the parts of a backup in order, the last one once its digest has been found right.

    What comes before is not certain until then. Raises BackupError for a file that is damaged in any place.
    """
    frames = FrameReader(stream)
    reading = iter(frames)
    yield decode_part(_payload_of(reading, Kind.HEADER), Header)
    table: TableShape | None = None
    counts: dict[str, int] = {}
    for kind, payload in reading:
        if kind is Kind.TABLE:
            table = decode_part(payload, TableShape)
            if table.name in counts or len({column.name for column in table.columns}) < len(table.columns):
                raise BackupError("the backup is damaged: a table or a column is there twice")
            counts[table.name] = 0
            yield table
        elif kind is Kind.ROWS and table is not None:
            rows = Rows(table, decode_rows(payload, table))
            counts[table.name] += len(rows.values)
            yield rows
        elif kind is Kind.SUMMARY:
            yield _counted(decode_part(payload, Summary), counts)
            break
        else:
            raise BackupError("the backup is damaged: its parts are not in order")
    else:
        raise BackupError("the backup is cut off")
    end = decode_part(_payload_of(reading, Kind.END), End)
    if end.sha256 != frames.digest:
        raise BackupError("the backup is damaged: its digest does not match its contents")
    if not frames.at_end():
        raise BackupError("the backup is damaged: something follows its end")
    yield end


def _payload_of(reading: Iterator[tuple[Kind, bytes]], wanted: Kind) -> bytes:
    kind, payload = next(reading, (None, b""))
    if kind is None:
        raise BackupError("the backup is cut off")
    if kind is not wanted:
        raise BackupError("the backup is damaged: its parts are not in order")
    return payload


def _counted(summary: Summary, counts: dict[str, int]) -> Summary:
    if summary.rows != counts:
        raise BackupError("the backup is damaged: tables have other numbers of rows than it says")
    return summary


def verify_seal(end: End, ring: KeyRing) -> None:
    """Raise BackupError if this backup was not made with an encryption key of the ring."""
    missing = KeyRing.key_id_of(end.seal)
    if not missing:
        raise BackupError("the backup is damaged: its seal cannot be read")
    try:
        if ring.knows(end.seal):
            if ring.matches(end.sha256, end.seal, _SEAL_CONTEXT):
                return
            raise BackupError("the backup was altered after it was made: its seal does not match")
    except SealError as error:
        raise BackupError("the backup is damaged: its seal cannot be read") from error
    raise BackupError(
        f"KEYTURN_ENCRYPTION_KEYS lacks key {missing} (a key's id, not the key), which sealed the backup"
    )


def columns_of(shape: TableShape, *names: str) -> tuple[int, ...]:
    """Return the places of columns in the rows of a table. Raises BackupError if one is missing."""
    places = {column.name: place for place, column in enumerate(shape.columns)}
    try:
        return tuple(places[name] for name in names)
    except KeyError as error:
        raise BackupError(f"table {shape.name} has no column {error.args[0]}") from None
