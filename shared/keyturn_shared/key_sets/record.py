"""The record of a key set: one per address for the whole fleet, replaced whole after every attempt."""

from typing import NamedTuple

import msgspec

from keyturn_shared.errors import KeyturnError
from keyturn_shared.key_sets.address import KeySetAddress
from keyturn_shared.position import BEGINNING, Position


class KeySetRecordError(KeyturnError):
    """A record in Redis cannot be read."""

    code = "key_set_record_broken"


class KeySetRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the fleet knows of a key set. Times are NumericDate seconds; 0 means never.

    ``generation``: names the last attempt, and grows: ms of Redis' clock when it began. ``as_of``: epoch and
    sequence of the event log when the fetch that brought ``keys`` began. ``keys``: public JWKs,
    made anew from what was understood; ``since``: when each of them first came, in the same order.
    ``fetched_at``: the last success, ``changed_at``: the last one that brought other keys. Until
    ``fresh_until`` the keys are used without question, until ``stale_until`` only because an attempt failed.
    ``failures``: in a row, with the reason of the last. ``next_poll_at``: when it is due if a client goes on
    using it.
    """

    url: str
    networks: tuple[str, ...] = ()
    generation: int = 0
    as_of: tuple[int, int] = (BEGINNING.epoch, BEGINNING.sequence)
    keys: tuple[dict[str, object], ...] = ()
    skipped: int = 0
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

    @property
    def address(self) -> KeySetAddress:
        return KeySetAddress(self.url, self.networks)

    @property
    def position(self) -> Position:
        return Position(*self.as_of)


class Required(NamedTuple):
    """How new a key set must be: the epoch the node is in, and the sequence of the last clearing."""

    epoch: int
    sequence: int

    def met_by(self, as_of: Position) -> bool:
        """Whether a fetch that began at ``as_of`` began after the clearing.

        Sequences are compared within one epoch only: after a restored backup the same number may mean
        another event. An epoch later than the node's began after everything the node has applied.
        """
        if self.sequence == 0 or as_of.epoch > self.epoch:
            return True
        return as_of.epoch == self.epoch and as_of.sequence >= self.sequence


ANY = Required(0, 0)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(KeySetRecord)


def encode_record(record: KeySetRecord) -> bytes:
    """The value in Redis: ``<generation>:<failures>:<json>``. The numbers in front are for the scripts."""
    return b"%d:%d:%s" % (record.generation, record.failures, _encoder.encode(record))


def decode_record(value: bytes) -> KeySetRecord:
    """The record of a value. Raises KeySetRecordError."""
    try:
        _generation, _failures, body = value.split(b":", 2)
        return _decoder.decode(body)
    except (ValueError, msgspec.MsgspecError) as error:
        raise KeySetRecordError(f"a key set record cannot be read: {error}") from error


def generation_of(value: bytes) -> int:
    """The generation in front of a value, also of one that cannot be read otherwise; 0 if there is none."""
    number, _, _ = value.partition(b":")
    return int(number) if number.isdigit() else 0
