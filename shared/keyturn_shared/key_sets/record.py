"""The record of a key set: one per address for the whole fleet, replaced whole after every attempt."""

from typing import Final, NamedTuple, Self

import msgspec

from keyturn_shared.errors import KeyturnError
from keyturn_shared.key_set_address import Document, KeySetAddress
from keyturn_shared.position import BEGINNING, Position


class KeySetRecordError(KeyturnError):
    """A record in Redis cannot be read."""

    code = "key_set_record_broken"


class SkippedMember(msgspec.Struct, frozen=True, omit_defaults=True):
    """An unused member of ``keys``: its place, its ``kid`` and the reason (a ``KeyRefusal``)."""

    index: int
    reason: str
    kid: str | None = None


class KeySetRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The record of a key set. Times are NumericDate seconds; 0 means never. ``url``, ``networks``,
    ``document``, ``issuer``: of its address.

    ``generation``: identifies the last attempt, and grows: ms of Redis' clock when it began. ``as_of``: epoch
    and sequence of the event log when the fetch that brought ``keys`` began. ``keys``: public JWKs, rebuilt
    from what was understood; ``skipped``: how many others the set has, ``skipped_members``: the first of
    them; ``since``: when each key first appeared, in the same order. ``fetched_at``: the last success,
    ``changed_at``: the last one that brought other keys. The keys are used until ``fresh_until``, and until
    ``stale_until`` only if an attempt failed. ``failures``: in a row, with the reason of the last.
    ``next_poll_at``: when it is due if a client keeps using it.
    """

    url: str
    networks: tuple[str, ...] = ()
    generation: int = 0
    as_of: tuple[int, int] = (BEGINNING.epoch, BEGINNING.sequence)
    keys: tuple[dict[str, object], ...] = ()
    skipped: int = 0
    skipped_members: tuple[SkippedMember, ...] = ()
    content: str = ""
    etag: str | None = None
    last_modified: str | None = None
    fetched_at: float = 0.0
    changed_at: float = 0.0
    fresh_until: float = 0.0
    stale_until: float = 0.0
    attempted_at: float = 0.0
    attempts: int = 0
    failures: int = 0
    failure: str | None = None
    failure_detail: str | None = None
    next_poll_at: float = 0.0
    since: tuple[float, ...] = ()
    document: Document = "jwks"
    issuer: str = ""

    @classmethod
    def empty(cls, address: KeySetAddress) -> Self:
        """Make the record of a key set that was never fetched."""
        return cls(
            url=address.url, networks=address.networks, document=address.document, issuer=address.issuer
        )

    @property
    def address(self) -> KeySetAddress:
        return KeySetAddress(self.url, self.networks, self.document, self.issuer)

    @property
    def position(self) -> Position:
        return Position(*self.as_of)


class Required(NamedTuple):
    """Required freshness of a key set: the node's epoch, and the sequence of the last cache clearing."""

    epoch: int
    sequence: int

    def met_by(self, as_of: Position) -> bool:
        """Return whether a fetch that began at ``as_of`` began after the clearing.

        Sequences are compared within one epoch only: after a restored backup the same number may mean another
        event. An epoch later than the node's began after everything the node has applied.
        """
        if self.sequence == 0 or as_of.epoch > self.epoch:
            return True
        return as_of.epoch == self.epoch and as_of.sequence >= self.sequence


_MAX_GENERATION_DIGITS: Final = 19
"""Number of digits of a 64-bit number."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(KeySetRecord)


def encode_record(record: KeySetRecord) -> bytes:
    """Encode as ``<generation>:<failures>:<json>``. The numbers in front are for the scripts."""
    return b"%d:%d:%s" % (record.generation, record.failures, _encoder.encode(record))


def decode_record(value: bytes) -> KeySetRecord:
    """Decode a record. Raises KeySetRecordError."""
    try:
        _generation, _failures, body = value.split(b":", 2)
        return _decoder.decode(body)
    except (ValueError, msgspec.MsgspecError) as error:
        raise KeySetRecordError(f"a key set record cannot be read: {error}") from error


def generation_of(value: bytes) -> int:
    """Return the generation in front of a value, even if the rest is unreadable; 0 if there is none."""
    number, _, _ = value.partition(b":")
    return int(number) if number.isdigit() and len(number) <= _MAX_GENERATION_DIGITS else 0
