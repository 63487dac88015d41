"""Signed statements about the chain, one line each: its head, and the base that it begins after."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keyturn_shared.jose import base64url
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.keys import LogSigningKeys, LogVerificationKeys
from keyturn_shared.signed_log.messages import audit_message

SETTLING_SECONDS: Final = 86_400
"""Time after the beginning of the chain in which an earlier release may run beside this one."""
_HEAD: Final = "keyturn-audit-head"
_BASE: Final = "keyturn-audit-base"
_HASH_OCTETS: Final = 32
_COMMON: Final = r"1:([0-9a-f-]{36}):(\d{1,18}):([A-Za-z0-9_-]{43}):(\d{1,12})"
_SIGNATURE: Final = r"([0-9a-f]{8}\.[A-Za-z0-9_-]{86})"
_HEAD_FORM: Final = re.compile(rf"({_HEAD}:{_COMMON}:(\d{{1,12}})):{_SIGNATURE}")


class Reason(StrEnum):
    """The reason why the chain begins where it does: with the first entry; after entries whose retention had
    ended; after entries that an earlier release deleted beside this one; or where an operator accepted it."""

    BEGUN = "begun"
    EXPIRED = "expired"
    FORMER = "former"
    ACCEPTED = "accepted"


_REASON: Final = "|".join(Reason)
_BASE_FORM: Final = re.compile(rf"({_BASE}:{_COMMON}:({_REASON}):(\d{{1,12}}):(\d{{1,18}})):{_SIGNATURE}")


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of the chain: its place, and the hash up to it.

    ``at``: when this was signed; ``complete_at``: when every entry was in the chain last, 0 if never. Both in
    NumericDate seconds. ``log``: identity of the database.
    """

    log: str
    number: int
    hash: bytes
    at: int
    complete_at: int

    def signed(self, keys: LogSigningKeys) -> str:
        hash_ = base64url.encode_text(self.hash)
        return _signed(f"{_HEAD}:1:{self.log}:{self.number}:{hash_}:{self.at}:{self.complete_at}", keys)


@dataclass(frozen=True, slots=True)
class Base:
    """The place that the chain begins after, with the hash up to it: it stands for everything before.

    ``settled_at``: NumericDate seconds until which an earlier release may be running. ``changes``: sequence
    of the newest change when the chain began, or was accepted: an entry of one before it may be missing.
    """

    log: str
    number: int
    hash: bytes
    at: int
    reason: Reason
    settled_at: int
    changes: int

    @property
    def began_at(self) -> int:
        """Return when the chain began, or was accepted, whatever was deleted since; NumericDate seconds."""
        return self.settled_at - SETTLING_SECONDS

    def signed(self, keys: LogSigningKeys) -> str:
        hash_ = base64url.encode_text(self.hash)
        text = f"{_BASE}:1:{self.log}:{self.number}:{hash_}:{self.at}:{self.reason}:{self.settled_at}"
        text += f":{self.changes}"
        return _signed(text, keys)


def _signed(text: str, keys: LogSigningKeys) -> str:
    return f"{text}:{keys.sign(audit_message(text.encode())).decode()}"


def key_of(statement: str) -> str:
    """Return the id of the key that a statement names."""
    return statement.rpartition(":")[2].partition(".")[0]


def read_head(statement: str, keys: LogVerificationKeys | None) -> Head:
    """Parse a head, and verify it unless ``keys`` is None. Raises ForgedError."""
    form = _HEAD_FORM.fullmatch(statement)
    if form is None:
        raise ForgedError("it is not a head of the audit log")
    text, log, number, hash_, at, complete_at, signature = form.groups()
    if keys is not None:
        keys.verify(audit_message(text.encode()), signature.encode())
    return Head(log, int(number), _hash_of(hash_), int(at), int(complete_at))


def read_base(statement: str, keys: LogVerificationKeys | None) -> Base:
    """Parse a base, and verify it unless ``keys`` is None. Raises ForgedError."""
    form = _BASE_FORM.fullmatch(statement)
    if form is None:
        raise ForgedError("it is not a base of the audit log")
    text, log, number, hash_, at, reason, settled_at, changes, signature = form.groups()
    if keys is not None:
        keys.verify(audit_message(text.encode()), signature.encode())
    return Base(log, int(number), _hash_of(hash_), int(at), Reason(reason), int(settled_at), int(changes))


def _hash_of(text: str) -> bytes:
    try:
        octets = base64url.decode_text(text)
    except MalformedError as error:
        raise ForgedError("its hash is not base64url") from error
    if len(octets) != _HASH_OCTETS:
        raise ForgedError("its hash has the wrong length")
    return octets
