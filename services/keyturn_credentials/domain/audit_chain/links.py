"""The links of the chain: SHA-256, with a prefix for each kind of input as in RFC 9162 section 2.1."""

import hashlib
from typing import Final

from keyturn_credentials.domain.audit_chain.entries import Entry, octets_of

_LEAF: Final = b"\x00keyturn audit entry v1 "
_LINK: Final = b"\x01keyturn audit link v1 "
_BEGIN: Final = b"\x02keyturn audit chain v1 "


def beginning(log: str, number: int, at: int) -> bytes:
    """Return the hash before the first entry, which is the one after this number. ``log``: identity of the
    database; ``at``: when the chain began."""
    return hashlib.sha256(_BEGIN + f"{log} {number} {at}".encode()).digest()


def link(previous: bytes, number: int, entry: Entry, standing: int) -> bytes:
    """Return the hash of the chain up to this entry, at this place."""
    leaf = octets_of([number, entry.id, standing, entry.mac, entry.values])
    return hashlib.sha256(_LINK + previous + hashlib.sha256(_LEAF + leaf).digest()).digest()
