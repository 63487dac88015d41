"""The octets of an audit entry, and its authentication code."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import msgspec

from keyturn_shared.sealing import KeyRing, SealError

FIELDS: Final = (
    "occurred_at",
    "realm_id",
    "action",
    "client_uuid",
    "client_id",
    "actor_realm",
    "actor_client_id",
    "actor_issuer",
    "actor_subject",
    "actor_name",
    "remote_address",
    "sequence",
    "details",
)
"""Columns that say what happened, in the order in which they are hashed; a test compares them with the
table."""

NONCE_OCTETS: Final = 12
NO_NUMBER: Final = -1
"""The number of an entry in whose column something else was written."""
LATE_SECONDS: Final = 3600.0
"""An entry is in the chain at most so long after it was written, while instances run."""
_CONTEXT: Final = "audit-entry"

_encoder: Final = msgspec.json.Encoder(order="sorted")
_decoder: Final = msgspec.json.Decoder()


class Standing(IntEnum):
    """Knowledge about the origin of an entry, when it was added to the chain."""

    VOUCHED = 1
    """Its authentication code is right: an instance of the service wrote it, like this."""
    EARLIER = 2
    """It has no code, and an earlier release may have written it."""
    UNVOUCHED = 3
    """It has no code of a configured key, and no earlier release was running any more."""
    ALTERED = 4
    """It does not match its code."""
    LATE = 5
    """It bears a time up to which everything was in the chain already."""
    ACCEPTED = 6
    """It does not match its code, and an operator accepted the log as it was."""


WRONG: Final = frozenset({Standing.UNVOUCHED, Standing.ALTERED, Standing.LATE})


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the audit log. ``values``: by ``FIELDS``; the details decoded. ``number``: its place in the
    chain, None while it is not part of it; ``previous``: the hash of the entry before."""

    id: int
    values: tuple[Any, ...]
    mac: str | None
    number: int | None = None
    previous: bytes | None = None
    standing: int | None = None

    @property
    def occurred_at(self) -> Any:
        return self.values[0]

    @property
    def sequence(self) -> Any:
        return self.values[11]

    @property
    def action(self) -> Any:
        return self.values[2]


def entry_of(row: Mapping[Any, Any]) -> Entry:
    """Return the entry of a row whose ``details`` are JSON text. Whatever the row has, it is hashed."""
    values = [row[name] for name in FIELDS]
    values[-1] = _details(values[-1])
    number, previous, standing = row["chain_number"], row["chain_previous"], row["chain_standing"]
    if number is not None and not isinstance(number, int):
        number = NO_NUMBER
    return Entry(
        row["id"],
        tuple(map(_plain, values)),
        row["mac"],
        number,
        previous if isinstance(previous, bytes) else None,
        standing if isinstance(standing, int) else None,
    )


def _details(text: Any) -> Any:
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, TypeError, ValueError):
        return {"unreadable": str(text)}


def _plain(value: Any) -> Any:
    """Keep octets apart from the text that they would be encoded as."""
    return {"octets": value.hex()} if isinstance(value, bytes | memoryview) else value


def octets_of(values: Any) -> bytes:
    """Encode values without ambiguity: JSON with sorted members, whatever the order in which a database
    returns them."""
    return _encoder.encode(values)


def make_mac(ring: KeyRing, nonce: str, row: Mapping[str, Any]) -> str:
    """Return the code of an entry that is about to be written: ``<nonce>.<digest>``. ``row``: by ``FIELDS``.
    The nonce lets no entry pass for another one with the same contents."""
    values = [row[name] for name in FIELDS]
    values[0] = float(values[0])
    return f"{nonce}.{ring.digest(_coded(nonce, values), _CONTEXT)}"


def _coded(nonce: str, values: Any) -> str:
    return octets_of([nonce, *values]).decode()


def matches(ring: KeyRing, entry: Entry) -> bool | None:
    """Return whether an entry is as an instance wrote it; None if it has no code of a key in the ring."""
    if not isinstance(entry.mac, str):
        return None
    nonce, _, digest = entry.mac.partition(".")
    if not ring.key_id_of(digest):
        return False
    try:
        if not ring.knows(digest):
            return None
        return ring.matches(_coded(nonce, entry.values), digest, _CONTEXT)
    except SealError:
        return False


def judge(ring: KeyRing, entry: Entry, *, settling: bool, accepting: bool, complete_at: float) -> Standing:
    """Return the standing of an entry that is added now.

    ``settling``: an earlier release may still run. ``accepting``: an operator has accepted what is there.
    ``complete_at``: a time when every entry was in the chain, NumericDate seconds; 0 if there was none yet.
    """
    code = matches(ring, entry)
    if code is None:
        return Standing.EARLIER if settling else Standing.UNVOUCHED
    if not code:
        return Standing.ACCEPTED if accepting else Standing.ALTERED
    return Standing.LATE if entry.occurred_at < complete_at - LATE_SECONDS else Standing.VOUCHED
