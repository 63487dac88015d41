"""The events: changes to a realm or a client, in the past tense, frozen and versioned.

New fields always have defaults; golden files in the tests pin every event. ``touches`` names the projections
that an event changed, so a reader knows what to invalidate even for an unknown event type. No event ever
contains a secret or a key.
"""

from typing import Final, TypeAlias

import msgspec

MESSAGE_FIELD: Final = "__data__"
"""Field of a stream entry with the event as JSON (FastStream's name for the message body)."""

PUBLISHED_AT_FIELD: Final = "published_at"
"""Field of a stream entry with Redis' time of publication, in ms."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all events. ``sequence``: the event's place in the log. ``id``: a random UUID. ``occurred_at``:
    NumericDate seconds. ``touches``: field names of the projection hash (see ``projection``).
    ``traceparent``: of the transaction that wrote it (W3C Trace Context section 3.2), if that is traced.
    Nothing is decided by it."""

    sequence: int
    id: str
    occurred_at: float
    version: int = 1
    touches: tuple[str, ...] = ()
    traceparent: str | msgspec.UnsetType = msgspec.UNSET


class EpochOpened(Event, frozen=True, kw_only=True, tag="epoch_opened"):
    """Redis was refilled from the database; everything cached before is invalid."""

    reason: str


class _RealmEvent(Event, frozen=True, kw_only=True):
    realm_id: str
    realm: str


class RealmCreated(_RealmEvent, frozen=True, kw_only=True, tag="realm_created"):
    """A realm was created, with its first signing key."""


class RealmUpdated(_RealmEvent, frozen=True, kw_only=True, tag="realm_updated"):
    """A realm's settings or policies changed."""


class RealmDeleted(_RealmEvent, frozen=True, kw_only=True, tag="realm_deleted"):
    """A realm and all its clients were deleted."""


class RealmKeysRotated(_RealmEvent, frozen=True, kw_only=True, tag="realm_keys_rotated"):
    """A signing key of the realm changed state (next, active, retiring) or was withdrawn."""

    active_kid: str


class RealmKeysCacheCleared(_RealmEvent, frozen=True, kw_only=True, tag="realm_keys_cache_cleared"):
    """Every key set fetched for the realm's clients before this event must be fetched again."""


class _ClientEvent(_RealmEvent, frozen=True, kw_only=True):
    client_uuid: str
    client_id: str


class ClientCreated(_ClientEvent, frozen=True, kw_only=True, tag="client_created"):
    """A client was created."""


class ClientUpdated(_ClientEvent, frozen=True, kw_only=True, tag="client_updated"):
    """A client's settings changed; ``previous_client_id`` is set when it was renamed."""

    previous_client_id: str | None = None


class ClientDeleted(_ClientEvent, frozen=True, kw_only=True, tag="client_deleted"):
    """A client and all its credentials were deleted."""


class ClientSecretRotated(_ClientEvent, frozen=True, kw_only=True, tag="client_secret_rotated"):
    """A new secret is active; the former one is accepted until ``former_valid_until``, if set."""

    former_valid_until: float | None = None


class ClientSecretRevoked(_ClientEvent, frozen=True, kw_only=True, tag="client_secret_revoked"):
    """A former secret was revoked before it expired."""


class ClientKeysChanged(_ClientEvent, frozen=True, kw_only=True, tag="client_keys_changed"):
    """The client's certificate, inline JWKS or JWKS URL changed; ``source`` says which."""

    source: str


class ClientKeyRevoked(_ClientEvent, frozen=True, kw_only=True, tag="client_key_revoked"):
    """A key is refused from now on, wherever it appears. ``thumbprint``: RFC 7638, SHA-256."""

    thumbprint: str


class ClientKeysCacheCleared(_ClientEvent, frozen=True, kw_only=True, tag="client_keys_cache_cleared"):
    """The key set fetched for the client before this event must be fetched again."""


class ClientRotationFailed(_ClientEvent, frozen=True, kw_only=True, tag="client_rotation_failed"):
    """A rotation of the client's credential could not go on. ``rotation``: its id. ``kind``: secret or key.
    ``reason``: a stable code. The credential that the client uses stays accepted."""

    rotation: str
    kind: str
    reason: str


class TokenRevoked(_ClientEvent, frozen=True, kw_only=True, tag="token_revoked"):
    """An access token of the client is refused from now on (RFC 7009); it would have expired at
    ``expires_at``. ``token_digest``: half a SHA-256 of its ``jti``, in hex."""

    token_digest: str
    expires_at: float


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
    | ClientRotationFailed
    | TokenRevoked
)


class UnknownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a type that this build does not know; its ``touches`` are known nevertheless."""

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
    """Encode an event as the JSON bytes of the stream and the log."""
    return _encoder.encode(event)


def decode_event(data: bytes) -> KnownEvent | UnknownEvent:
    """Decode an event. Raises msgspec.ValidationError or msgspec.DecodeError if it is not one."""
    try:
        known: KnownEvent = _known_decoder.decode(data)
    except msgspec.ValidationError:
        return _unknown_decoder.decode(data)
    return known
