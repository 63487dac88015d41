"""The life of a realm's signing keys: published before use, then signing, then verifying only. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey
from keyturn_credentials.errors import InvalidRequestError

DEFAULT_ALG: Final = "ES256"
DEFAULT_PERIOD: Final = 90 * 86_400
LEAST_PERIOD: Final = 3_600
PUBLISHED_BEFORE_USE: Final = 600
"""Seconds a key is published before it signs: longer than resource servers cache the JWK Set."""
RETIRING_MARGIN: Final = 600
"""Seconds a retired key verifies longer than the longest token it signed can live."""

MAX_CLIENT_LIFESPAN: Final = 86_400
"""A client may have its own access token lifespan, up to this."""

MakeKey = Callable[[str, KeyState], RealmKey]
"""Makes a key for an algorithm in a state."""


def signing_alg(realm: Realm) -> str:
    return realm.attributes.get(attributes.SIGNING_KEY_ALG, "").strip() or DEFAULT_ALG


def rotation_period(realm: Realm) -> int:
    """Seconds a key signs. Raises InvalidRequestError."""
    text = realm.attributes.get(attributes.SIGNING_KEY_PERIOD, "").strip()
    if not text:
        return DEFAULT_PERIOD
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) < LEAST_PERIOD:
        raise InvalidRequestError(f"{attributes.SIGNING_KEY_PERIOD} is at least {LEAST_PERIOD} seconds")
    return int(text)


def first_keys(realm: Realm, make: MakeKey) -> list[RealmKey]:
    """One that signs and one that will."""
    alg = signing_alg(realm)
    return [make(alg, KeyState.ACTIVE), make(alg, KeyState.NEXT)]


def settle(realm: Realm, keys: Iterable[RealmKey], make: MakeKey, now: float) -> list[RealmKey]:
    """The keys as they should stand at ``now``: retired ones gone, the next one active if it is time. The
    same keys when nothing is due.

    A change of the realm's algorithm is a rotation that is due at once: the next key is made anew for it,
    published, and takes over after ``PUBLISHED_BEFORE_USE``.
    """
    alg = signing_alg(realm)
    kept = [key for key in keys if not _is_over(realm, key, now)]
    kept = [key for key in kept if key.state is not KeyState.NEXT or key.alg == alg]
    active = next((key for key in kept if key.state is KeyState.ACTIVE), None)
    waiting = next((key for key in kept if key.state is KeyState.NEXT), None)
    if active is None:
        return rotate(realm, kept, make, now)
    if waiting is None:
        return [*kept, make(alg, KeyState.NEXT)]
    due = now - active.state_since >= rotation_period(realm) or active.alg != alg
    return rotate(realm, kept, make, now) if due and _is_known_everywhere(waiting, now) else kept


def rotate(realm: Realm, keys: Iterable[RealmKey], make: MakeKey, now: float) -> list[RealmKey]:
    """The next key signs from now on, the active one only verifies, and a new next one is published."""
    alg = signing_alg(realm)
    moved: list[RealmKey] = []
    promoted = False
    for key in keys:
        if key.state is KeyState.ACTIVE:
            moved.append(replace(key, state=KeyState.RETIRING, state_since=now, sealed_private_jwk=None))
        elif key.state is KeyState.NEXT and not promoted:
            promoted = True
            moved.append(replace(key, state=KeyState.ACTIVE, state_since=now))
        else:
            moved.append(key)
    if not promoted:
        moved.append(make(alg, KeyState.ACTIVE))
    return [*moved, make(alg, KeyState.NEXT)]


def rotates_at(realm: Realm, keys: Iterable[RealmKey]) -> float | None:
    """When the next key takes over by itself, NumericDate seconds; None without an active one."""
    active = next((key for key in keys if key.state is KeyState.ACTIVE), None)
    return None if active is None else active.state_since + rotation_period(realm)


def ends_at(realm: Realm, key: RealmKey) -> float | None:
    """When a retiring key is withdrawn, NumericDate seconds; None for the others."""
    return key.state_since + _retiring_period(realm) if key.state is KeyState.RETIRING else None


def _is_known_everywhere(key: RealmKey, now: float) -> bool:
    return now - key.state_since >= PUBLISHED_BEFORE_USE


def _is_over(realm: Realm, key: RealmKey, now: float) -> bool:
    return key.state is KeyState.RETIRING and now - key.state_since >= _retiring_period(realm)


def _retiring_period(realm: Realm) -> int:
    return max(realm.access_token_lifespan, MAX_CLIENT_LIFESPAN) + RETIRING_MARGIN
