"""The octets that are signed: one unambiguous encoding for each kind of statement.

Each begins with a domain of its own, and the length of every part stands before it, so no two statements have
the same octets. ``log`` is the identity of the event log, drawn once per database, so that a statement about
one log means nothing for another that was signed with the same key.
"""

from typing import Final

_PROJECTION: Final = b"keyturn signed log v1 projection"
_EVENT: Final = b"keyturn signed log v1 event"
_KEY_SET: Final = b"keyturn signed log v1 key set"
_HEAD: Final = b"keyturn signed log v1 head"
_AUDIT: Final = b"keyturn signed log v1 audit"


def projection_message(log: str, field: str, sequence: int, body: bytes) -> bytes:
    """Encode that the projection of this field is this, as of the event with that sequence."""
    return _framed(_PROJECTION, log.encode(), field.encode("utf-8", "surrogatepass"), b"%d" % sequence, body)


def event_message(log: str, sequence: int, payload: bytes) -> bytes:
    """Encode that the event with this sequence is this one; its id is a member of the payload."""
    return _framed(_EVENT, log.encode(), b"%d" % sequence, payload)


def key_set_message(key_set_id: str, body: bytes) -> bytes:
    """Encode that a fetcher received this body from the address with that id, which stands for URL and
    networks."""
    return _framed(_KEY_SET, key_set_id.encode(), body)


def head_message(text: bytes) -> bytes:
    """Encode the statement about the head; see ``head``."""
    return _framed(_HEAD, text)


def audit_message(text: bytes) -> bytes:
    """Encode a statement about the audit log, whose text says of which kind it is."""
    return _framed(_AUDIT, text)


def _framed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
