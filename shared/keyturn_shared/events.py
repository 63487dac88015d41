"""The events: what happened to a realm or a client, in the past tense, frozen and versioned.

They grow by fields with defaults only; golden files in the tests pin every one. ``touches`` names the
projections an event changed, so a reader that does not know an event's type yet still knows what to forget.
No event ever carries a secret or a key.
"""

from typing import Final, TypeAlias

import msgspec

MESSAGE_FIELD: Final = "__data__"
"""The field of a stream entry that holds the event as JSON (FastStream's name for the message body)."""

PUBLISHED_AT_FIELD: Final = "published_at"
"""The field of a stream entry that holds Redis' own clock at the moment of publication, in ms."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all events share.

    ``sequence`` is the event's place in the log, ``id`` a UUID drawn when it was written, ``occurred_at``
    NumericDate seconds, ``touches`` field names of the projection hash (see ``projection``).
    """

    sequence: int
    id: str
    occurred_at: float
    version: int = 1
    touches: tuple[str, ...] = ()


class EpochOpened(Event, frozen=True, kw_only=True, tag="epoch_opened"):
    """Redis was filled anew from the database; whatever was cached before is to be forgotten."""

    reason: str


class _RealmEvent(Event, frozen=True, kw_only=True):
    realm_id: str
    realm: str


class RealmCreated(_RealmEvent, frozen=True, kw_only=True, tag="realm_created"):
    """A realm came into being, with its first signing key."""


class RealmUpdated(_RealmEvent, frozen=True, kw_only=True, tag="realm_updated"):
    """A realm's settings or policies changed."""


class RealmDeleted(_RealmEvent, frozen=True, kw_only=True, tag="realm_deleted"):
    """A realm and all its clients are gone."""


class RealmKeysRotated(_RealmEvent, frozen=True, kw_only=True, tag="realm_keys_rotated"):
    """The realm's signing keys moved on: next, active, retiring, or one was withdrawn."""

    active_kid: str


class RealmKeysCacheCleared(_RealmEvent, frozen=True, kw_only=True, tag="realm_keys_cache_cleared"):
    """Every key set fetched for clients of the realm before this event is to be fetched again."""


class _ClientEvent(_RealmEvent, frozen=True, kw_only=True):
    client_uuid: str
    client_id: str


class ClientCreated(_ClientEvent, frozen=True, kw_only=True, tag="client_created"):
    """A client was registered."""


class ClientUpdated(_ClientEvent, frozen=True, kw_only=True, tag="client_updated"):
    """A client's settings changed; ``previous_client_id`` is set when it was renamed."""

    previous_client_id: str | None = None


class ClientDeleted(_ClientEvent, frozen=True, kw_only=True, tag="client_deleted"):
    """A client is gone and with it all its credentials."""


class ClientSecretRotated(_ClientEvent, frozen=True, kw_only=True, tag="client_secret_rotated"):
    """A new secret is in force; the former one is accepted until ``former_valid_until``, if at all."""

    former_valid_until: float | None = None


class ClientSecretRevoked(_ClientEvent, frozen=True, kw_only=True, tag="client_secret_revoked"):
    """A former secret stopped being accepted before its time."""


class ClientKeysChanged(_ClientEvent, frozen=True, kw_only=True, tag="client_keys_changed"):
    """The client's certificate, inline JWKS or JWKS URL changed; ``source`` says which."""

    source: str


class ClientKeyRevoked(_ClientEvent, frozen=True, kw_only=True, tag="client_key_revoked"):
    """A key is refused from now on, wherever it appears. ``thumbprint`` is its RFC 7638 one (SHA-256)."""

    thumbprint: str


class ClientKeysCacheCleared(_ClientEvent, frozen=True, kw_only=True, tag="client_keys_cache_cleared"):
    """The key set fetched for the client before this event is to be fetched again."""


KnownEvent: TypeAlias = (
    EpochOpened
    | RealmCreated
    | RealmUpdated
    | RealmDeleted
    | RealmKeysRotated
    | RealmKeysCacheCleared
    | ClientCreated
    | ClientUpdated
    | ClientDeleted
    | ClientSecretRotated
    | ClientSecretRevoked
    | ClientKeysChanged
    | ClientKeyRevoked
    | ClientKeysCacheCleared
)


class UnknownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a type this build does not know: what it touches is known all the same."""

    type: str
    sequence: int
    id: str
    occurred_at: float
    version: int = 1
    touches: tuple[str, ...] = ()


_known_decoder = msgspec.json.Decoder(KnownEvent)
_unknown_decoder = msgspec.json.Decoder(UnknownEvent)
_encoder = msgspec.json.Encoder()


def encode_event(event: Event) -> bytes:
    """The event as the JSON bytes of the stream and of the log."""
    return _encoder.encode(event)


def decode_event(data: bytes) -> KnownEvent | UnknownEvent:
    """Read an event. Raises msgspec.ValidationError or msgspec.DecodeError for what is none at all."""
    try:
        known: KnownEvent = _known_decoder.decode(data)
    except msgspec.ValidationError:
        return _unknown_decoder.decode(data)
    return known
