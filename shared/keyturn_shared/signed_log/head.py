"""The relay's signed statement about the log's position."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keyturn_shared.fleet.partitions import ONE_PARTITION, Partitioning
from keyturn_shared.jose import base64url
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.keys import LogSigningKeys, LogVerificationKeys
from keyturn_shared.signed_log.messages import head_message

RECENT: Final = 64
"""Events before the start of an epoch by which a reader recognises the log."""

_NAME_OCTETS: Final = 6
_NAME_CHARACTERS: Final = 8
_FORM: Final = re.compile(
    rb"([0-9a-f-]{36}) (\d{1,19}) (\d{1,19}) (\d{1,19}) ((?:[A-Za-z0-9_-]{8})*)(?: ([0-9,]{1,40}))?"
)


@dataclass(frozen=True, slots=True)
class HeadStatement:
    """A statement that ``sequence`` was the newest event in the database of this ``log`` at the time ``at``,
    in ms of the clock of the ``epoch``'s Redis process.

    ``recent``: names of the last events before the epoch began. A log restored from a backup has
    different ones. ``partitioning``: of used assertions. With several partitions, releases that know only one
    cannot read the statement, and so answer nothing.
    """

    log: str
    epoch: int
    sequence: int
    at: int
    recent: str = ""
    partitioning: Partitioning = ONE_PARTITION

    def signed(self, keys: LogSigningKeys) -> bytes:
        text = f"{self.log} {self.epoch} {self.sequence} {self.at} {self.recent}"
        if self.partitioning != ONE_PARTITION:
            text += f" {self.partitioning}"
        octets = text.encode()
        return octets + b" " + keys.sign(head_message(octets))

    def knows(self, sequence: int, event_id: str) -> bool:
        """Return whether this event is one of the recent ones."""
        name = event_name(sequence, event_id)
        return any(self.recent.startswith(name, at) for at in range(0, len(self.recent), _NAME_CHARACTERS))


def event_name(sequence: int, event_id: str) -> str:
    """Return a short name of an event, unique among recent ones."""
    digest = hashlib.sha256(f"{sequence} {event_id}".encode()).digest()
    return base64url.encode_text(digest[:_NAME_OCTETS])


def names_of(events: Iterable[tuple[int, str]]) -> str:
    """Return the names of events, given by sequence and id, in the format of a statement."""
    return "".join(event_name(*event) for event in events)


def read_head_statement(signed: bytes, keys: LogVerificationKeys) -> HeadStatement:
    """Parse and verify a statement. Raises ForgedError unless a trusted key has signed it."""
    text, _, signature = signed.rpartition(b" ")
    keys.verify(head_message(text), signature)
    form = _FORM.fullmatch(text)
    if form is None:
        raise ForgedError("the signed statement about the head cannot be read")
    log, epoch, sequence, at, recent, partitioning = form.groups()
    try:
        partitions = ONE_PARTITION if partitioning is None else Partitioning.parse(partitioning.decode())
    except ValueError:
        raise ForgedError("the signed statement about the head cannot be read") from None
    return HeadStatement(log.decode(), int(epoch), int(sequence), int(at), recent.decode(), partitions)
