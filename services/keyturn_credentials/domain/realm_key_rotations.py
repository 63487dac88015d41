"""Rotations of a realm's signing keys in the form of a client's. Pure: the keys themselves say all."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from keyturn_credentials.domain.realm import KeyPurpose, KeyState, Realm, RealmKey
from keyturn_credentials.domain.realm_keys import PUBLISHED_BEFORE_USE, ends_at, rotation_period
from keyturn_credentials.domain.rotation import Move, State, WaitsFor

REALM_KEY: Final = "realm_key"
"""The kind of these rotations. They are not stored, and nobody steers them."""


@dataclass(frozen=True, slots=True)
class RealmKeyRotation:
    """The rotation to a key. ``id``: its kid. ``former``: kids of those that verify what they signed before.
    ``start_at``: when the key signs. ``retire_at``: when the last former key is withdrawn. Times are
    NumericDate seconds."""

    id: str
    purpose: KeyPurpose
    alg: str
    state: State
    waits_for: WaitsFor | None
    created_at: float
    start_at: float
    retire_at: float | None
    former: tuple[str, ...]
    history: tuple[Move, ...]


def realm_key_rotations(realm: Realm, keys: Iterable[RealmKey], now: float) -> list[RealmKeyRotation]:
    """Return the rotations to the keys that sign or will, newest first: PREPARED while a key is published and
    does not sign, IN_USE while former keys still verify, and then DONE."""

    def family(key: RealmKey) -> tuple[str, str]:
        return key.purpose.value, key.alg

    found = []
    for _, members in groupby(sorted(keys, key=family), key=family):
        of_family = list(members)
        active = [key for key in of_family if key.state is KeyState.ACTIVE]
        found += [_next(realm, key, active, now) for key in of_family if key.state is KeyState.NEXT]
        found += [_active(realm, key, of_family) for key in active]
    return sorted(found, key=lambda each: (-each.created_at, each.id))


def _next(realm: Realm, key: RealmKey, active: list[RealmKey], now: float) -> RealmKeyRotation:
    known_everywhere_at = key.created_at + PUBLISHED_BEFORE_USE
    since = max((each.state_since for each in active), default=key.created_at)
    start_at = max(since + rotation_period(realm), known_everywhere_at)
    return RealmKeyRotation(
        id=key.kid,
        purpose=key.purpose,
        alg=key.alg,
        state=State.PREPARED,
        waits_for=WaitsFor.NODES if now < known_everywhere_at else WaitsFor.START,
        created_at=key.created_at,
        start_at=start_at,
        retire_at=None,
        former=tuple(each.kid for each in active),
        history=(Move(State.PREPARED, key.created_at),),
    )


def _active(realm: Realm, key: RealmKey, of_family: list[RealmKey]) -> RealmKeyRotation:
    retiring = [each for each in of_family if each.state is KeyState.RETIRING]
    moves = [Move(State.PREPARED, key.created_at), Move(State.IN_USE, key.state_since)]
    ends = [end for each in retiring if (end := ends_at(realm, each)) is not None]
    return RealmKeyRotation(
        id=key.kid,
        purpose=key.purpose,
        alg=key.alg,
        state=State.IN_USE if retiring else State.DONE,
        waits_for=WaitsFor.OVERLAP if retiring else None,
        created_at=key.created_at,
        start_at=key.state_since,
        retire_at=max(ends, default=None),
        former=tuple(each.kid for each in retiring),
        history=tuple(moves),
    )
