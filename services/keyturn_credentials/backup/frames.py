"""The octets of a backup: a first line, then frames, each with its kind, its length and its payload."""

import hashlib
from collections.abc import Iterator
from enum import Enum
from typing import BinaryIO, Final

from keyturn_credentials.backup.errors import BackupError

MAGIC: Final = b"keyturn-backup 1\n"
MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
_LENGTH_BYTES: Final = 4


class Kind(Enum):
    """HEADER: what the backup is of. TABLE: the columns of the rows that follow. ROWS: rows of the last
    table. SUMMARY: what was written, and the keys that it needs. END: digest and seal of all before."""

    HEADER = b"H"
    TABLE = b"T"
    ROWS = b"R"
    SUMMARY = b"S"
    END = b"E"


class FrameWriter:
    """Writes frames, and hashes everything that was written."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._write(MAGIC)

    @property
    def digest(self) -> str:
        """The SHA-256 of everything so far, as hexadecimal."""
        return self._hash.hexdigest()

    def write(self, kind: Kind, payload: bytes) -> None:
        """Write a frame. Raises BackupError if it is longer than a reader allows, or cannot be written."""
        if len(payload) > MAX_FRAME_BYTES:
            raise BackupError(f"a part of the backup would have {len(payload)} bytes, over {MAX_FRAME_BYTES}")
        self._write(kind.value + len(payload).to_bytes(_LENGTH_BYTES, "big"))
        self._write(payload)

    def _write(self, octets: bytes) -> None:
        self._hash.update(octets)
        try:
            self._stream.write(octets)
        except OSError as error:
            raise BackupError(f"the backup cannot be written: {error.strerror or error}") from error


class FrameReader:
    """Reads frames. Needs memory for one frame at a time, at most ``MAX_FRAME_BYTES``."""

    def __init__(self, stream: BinaryIO) -> None:
        """Read the beginning. Raises BackupError for a file that does not begin like a backup."""
        self._stream = stream
        self._hash = hashlib.sha256()
        self.digest = ""
        """The SHA-256 of everything before the newest frame, as hexadecimal."""
        begins = self._read(len(MAGIC))
        if begins != MAGIC:
            if begins.startswith(MAGIC[:-2]):
                raise BackupError("the backup has a format of another release")
            raise BackupError("this is not a backup of keyturn")
        self._hash.update(begins)

    def __iter__(self) -> Iterator[tuple[Kind, bytes]]:
        """Yield kind and payload of each frame. Raises BackupError for a damaged file."""
        while True:
            self.digest = self._hash.hexdigest()
            head = self._read(1 + _LENGTH_BYTES)
            if not head:
                return
            if len(head) < 1 + _LENGTH_BYTES:
                raise BackupError("the backup is cut off")
            try:
                kind = Kind(head[:1])
            except ValueError:
                raise BackupError("the backup is damaged: a part of an unknown kind") from None
            length = int.from_bytes(head[1:], "big")
            if length > MAX_FRAME_BYTES:
                raise BackupError(f"the backup is damaged: a part of {length} bytes, over {MAX_FRAME_BYTES}")
            payload = self._read(length)
            if len(payload) < length:
                raise BackupError("the backup is cut off")
            self._hash.update(head)
            self._hash.update(payload)
            yield kind, payload

    def at_end(self) -> bool:
        """Return whether nothing follows the newest frame. Raises BackupError."""
        return not self._read(1)

    def _read(self, octets: int) -> bytes:
        try:
            return self._stream.read(octets)
        except OSError as error:
            raise BackupError(f"the backup cannot be read: {error.strerror or error}") from error
