"""The format of a backup: what was written is read, and damage in any place is found."""

import hashlib
import io
from collections.abc import Iterator

import pytest

from keyturn_credentials.backup.contents import (
    Column,
    End,
    Header,
    LogState,
    Row,
    Summary,
    TableShape,
    ValueKind,
    encode_part,
    encode_rows,
)
from keyturn_credentials.backup.document import BackupWriter, Rows, read_parts, verify_seal
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.backup.frames import MAGIC, MAX_FRAME_BYTES, FrameReader, FrameWriter, Kind
from keyturn_shared.sealing import KeyRing

RING = KeyRing([b"k" * 32], purpose="encryption")
KEY = RING.current_key_id
HEADER = Header("1.2.3", "0016", 1.5, "sqlite", LogState("log", 7, "event", 1.0, 5, shut_down=False))
NAMES = TableShape("names", (Column("id", ValueKind.INTEGER), Column("name", ValueKind.TEXT)))
EVERY_KIND: list[Row] = [
    (-(2**63), "ü\x00"),
    (2**63 - 1, None),
    (0, b"\xff\x00"),
    (1, 1.5),
    (2, True),
    (3, ""),
]


def written(*tables: tuple[TableShape, list[Row]], ring: KeyRing = RING) -> bytes:
    stream = io.BytesIO()
    writer = BackupWriter(stream, HEADER)
    for shape, rows in tables:
        writer.begin_table(shape)
        writer.write_rows(rows)
    writer.finish(Summary(writer.rows, (), ()), ring)
    return stream.getvalue()


def read(octets: bytes) -> None:
    """Read and check a backup to its end."""
    *_, end = read_parts(io.BytesIO(octets))
    assert isinstance(end, End)
    verify_seal(end, RING)


SMALL = written((NAMES, [(1, "a")]))


def test_what_was_written_is_read_in_order() -> None:
    empty = TableShape("empty", (Column("id", ValueKind.INTEGER),))
    parts = list(read_parts(io.BytesIO(written((NAMES, EVERY_KIND), (empty, [])))))
    rows = [list(row) for row in EVERY_KIND]
    summary = Summary({"names": len(rows), "empty": 0}, (), ())
    assert parts[:-1] == [HEADER, NAMES, Rows(NAMES, rows), empty, summary]
    read(written((NAMES, EVERY_KIND), (empty, [])))


def test_its_beginning_can_be_read_by_people() -> None:
    assert SMALL.startswith(b"keyturn-backup 1\nH\x00\x00\x00")
    assert b'{"release":"1.2.3","schema":"0016"' in SMALL[:60]


def test_many_rows_are_written_in_parts_of_about_a_mebibyte() -> None:
    rows: list[Row] = [(number, "x" * 300_000) for number in range(10)]
    found = [part for part in read_parts(io.BytesIO(written((NAMES, rows)))) if isinstance(part, Rows)]
    assert [len(part.values) for part in found] == [4, 4, 2]


def test_one_that_is_cut_off_anywhere_is_refused() -> None:
    for length in range(len(SMALL)):
        with pytest.raises(BackupError, match=r"cut off|not a backup|another release"):
            read(SMALL[:length])


def test_one_flipped_bit_anywhere_is_found() -> None:
    for place in range(len(SMALL)):
        for bit in range(8):
            damaged = bytearray(SMALL)
            damaged[place] ^= 1 << bit
            with pytest.raises(BackupError):
                read(bytes(damaged))


@pytest.mark.parametrize("more", [b"\0", b"\n", SMALL])
def test_nothing_may_follow_its_end(more: bytes) -> None:
    with pytest.raises(BackupError, match="follows its end"):
        read(SMALL + more)


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "not a backup"),
        (b"SQLite format 3\0" + SMALL, "not a backup"),
        (b"PGDMP", "not a backup"),
        (SMALL.replace(b"backup 1\n", b"backup 2\n", 1), "another release"),
    ],
)
def test_other_files_are_told_apart(octets: bytes, said: str) -> None:
    with pytest.raises(BackupError, match=said):
        read(octets)


class Counting(io.BytesIO):
    """A file that notes how much was asked of it at a time."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.most = max(self.most, size or 0)
        return super().read(size)


@pytest.mark.parametrize("length", [MAX_FRAME_BYTES + 1, 2**32 - 1])
def test_a_huge_length_is_refused_before_anything_is_read(length: int) -> None:
    stream = Counting(MAGIC + b"H" + length.to_bytes(4, "big") + b"{}")
    with pytest.raises(BackupError, match=str(length)):
        list(read_parts(stream))
    assert stream.most < 100


def test_a_part_that_no_reader_would_take_is_not_written() -> None:
    with pytest.raises(BackupError, match="over"):
        FrameWriter(io.BytesIO()).write(Kind.ROWS, bytes(MAX_FRAME_BYTES + 1))


def test_a_full_disk_is_told_from_a_failed_database() -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(BackupError, match="No space left"):
        FrameWriter(full)


def test_a_file_that_fails_is_said_so() -> None:
    with (
        open("/proc/self/mem", "rb", buffering=0) as failing,
        pytest.raises(BackupError, match="cannot be read"),
    ):
        FrameReader(failing)


def sealed(*frames: tuple[Kind, bytes]) -> bytes:
    """Return a file with these parts and a right end."""
    stream = io.BytesIO()
    writer = FrameWriter(stream)
    for kind, payload in frames:
        writer.write(kind, payload)
    digest = hashlib.sha256(stream.getvalue()).hexdigest()
    writer.write(Kind.END, encode_part(End(digest, RING.digest(digest, "backup"))))
    return stream.getvalue()


def _of(**rows: int) -> tuple[Kind, bytes]:
    return Kind.SUMMARY, encode_part(Summary(rows, (), ()))


HEAD = (Kind.HEADER, encode_part(HEADER))
TABLE = (Kind.TABLE, encode_part(NAMES))
TWICE = TableShape("names", (NAMES.columns[0], NAMES.columns[0]))


def wrong() -> Iterator[tuple[list[tuple[Kind, bytes]], str]]:
    yield [TABLE, _of(names=0)], "not in order"
    yield [HEAD, HEAD, _of()], "not in order"
    yield [HEAD, (Kind.ROWS, encode_rows([])), _of()], "not in order"
    yield [HEAD, TABLE, TABLE, _of(names=0)], "twice"
    yield [HEAD, (Kind.TABLE, encode_part(TWICE)), _of(names=0)], "twice"
    yield [HEAD, TABLE, (Kind.ROWS, encode_rows([(1,)])), _of(names=1)], "another number of values"
    yield [HEAD, TABLE, (Kind.ROWS, b"\xc1"), _of(names=1)], "rows cannot be read"
    yield [HEAD, TABLE, (Kind.ROWS, encode_part(NAMES)), _of(names=1)], "rows cannot be read"
    yield [HEAD, TABLE, _of(names=1)], "other numbers of rows"
    yield [HEAD, _of(), _of()], "not in order"
    yield [HEAD, (Kind.SUMMARY, b"[]")], "cannot be read"
    yield [HEAD, (Kind.SUMMARY, b"\xff")], "cannot be read"
    yield [(Kind.HEADER, b'{"release":1}'), _of()], "cannot be read"
    yield [HEAD], "not in order"


@pytest.mark.parametrize(("frames", "said"), list(wrong()))
def test_parts_have_an_order_and_a_form(frames: list[tuple[Kind, bytes]], said: str) -> None:
    with pytest.raises(BackupError, match=said):
        read(sealed(*frames))


def test_it_says_who_sealed_it() -> None:
    other = KeyRing([b"o" * 32], purpose="encryption")
    with pytest.raises(BackupError, match=f"lacks key {other.current_key_id}"):
        read(written(ring=other))


@pytest.mark.parametrize("seal", ["", "nonsense", "1.", f"1.{KEY}", f"1.{KEY}.%"])
def test_a_seal_that_is_none_is_refused(seal: str) -> None:
    with pytest.raises(BackupError):
        verify_seal(End("0" * 64, seal), RING)


def test_a_seal_is_of_its_own_contents() -> None:
    seal = RING.digest("1" * 64, "backup")
    with pytest.raises(BackupError, match="altered"):
        verify_seal(End("0" * 64, seal), RING)
    with pytest.raises(BackupError, match="altered"):
        verify_seal(End("0" * 64, RING.digest("0" * 64, "client-secret:x")), RING)


def test_reading_needs_memory_for_one_part_at_a_time() -> None:
    stream = Counting(written((NAMES, [(number, "x" * 1000) for number in range(5000)])))
    frames = FrameReader(stream)
    assert sum(1 for _ in frames) > 4
    assert stream.most < 1_100_000
