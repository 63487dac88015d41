"""Life cycle of a realm's signing keys: published before use, then signing, then verifying only. Pure.

A realm has two families of keys, for clients and for administrators, and one more for each additional
algorithm that clients ask for, each with its own life cycle.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.realm import KeyPurpose, KeyState, Realm, RealmKey
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.errors import InvalidRequestError, LimitReachedError
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES

DEFAULT_ALG: Final = "ES256"
DEFAULT_SIGNATURE_ALG: Final = "defaultSignatureAlgorithm"
DEFAULT_PERIOD: Final = 90 * 86_400
LEAST_PERIOD: Final = 3_600
PUBLISHED_BEFORE_USE: Final = 600
"""Seconds a key is published before it signs: longer than resource servers cache the JWK Set."""
RETIRING_MARGIN: Final = 600
"""Seconds that a retired key verifies beyond the longest lifetime of a token it signed."""

MAX_CLIENT_LIFESPAN: Final = 86_400
"""Maximum of a client's own access token lifespan."""

MAX_PUBLISHED: Final = 36
"""Signing keys of one purpose that a realm publishes at a time, in addition to the first two of each
algorithm. An hourly rotation, the shortest period, leaves 27 of them. Verifiers, keyturn's and others, stop
reading key sets longer than 100
(``keyturn_shared.jose.key_set``), and there are two families."""

MakeKey = Callable[[str, KeyState], RealmKey]
"""Makes a key for an algorithm, in a state."""

MakeKeyFor = Callable[[KeyPurpose], MakeKey]

_Step = Callable[[list[RealmKey], MakeKey, str, list[RealmKey]], list[RealmKey]]
"""Returns a family's new keys. Arguments: its keys, a function that makes keys, its algorithm, and the keys
of other families with the same purpose."""


def purposes(realm: Realm) -> tuple[KeyPurpose, ...]:
    """Return the purposes for which the realm has keys. All clients of ``master`` get their tokens like
    administrators."""
    if realm.name == MASTER:
        return (KeyPurpose.ADMINISTRATORS,)
    return (KeyPurpose.CLIENTS, KeyPurpose.ADMINISTRATORS)


def further_algs(realm: Realm) -> tuple[str, ...]:
    """Return the algorithms, other than its own, that the realm has keys for because clients ask for them."""
    named = attributes.words(realm.attributes, attributes.FURTHER_KEY_ALGS)
    own = signing_alg(realm)
    return tuple(alg for alg in dict.fromkeys(named) if alg != own and alg in ASYMMETRIC_NAMES)


def is_further(realm: Realm, key: RealmKey) -> bool:
    """Return whether a key is for clients that ask for an algorithm that is not the realm's own."""
    return key.purpose is KeyPurpose.CLIENTS and key.alg in further_algs(realm)


def active_key(realm: Realm, keys: Iterable[RealmKey]) -> RealmKey | None:
    """Return the key that signs for the realm's clients unless they ask for another algorithm, or for its
    administrators if it has no other."""
    active: dict[KeyPurpose, RealmKey] = {}
    for key in keys:
        if key.state is KeyState.ACTIVE and not is_further(realm, key):
            active.setdefault(key.purpose, key)
    return active.get(KeyPurpose.CLIENTS) or active.get(KeyPurpose.ADMINISTRATORS)


def first_of_all(realm: Realm, make_for: MakeKeyFor) -> list[RealmKey]:
    """Return ``first_keys`` of every family."""
    return _each(realm, [], make_for, lambda _, make, alg, __: first_keys(realm, make, alg))


def settle_all(realm: Realm, keys: Iterable[RealmKey], make_for: MakeKeyFor, now: float) -> list[RealmKey]:
    """Apply ``rotate_due`` to every family. Keys without a purpose are removed at once."""
    return _each(
        realm,
        keys,
        make_for,
        lambda family, make, alg, beside: rotate_due(realm, family, make, now, alg=alg, beside=len(beside)),
    )


def rotate_all_by_hand(
    realm: Realm, keys: Iterable[RealmKey], make_for: MakeKeyFor, now: float
) -> list[RealmKey]:
    """Apply ``rotate_by_hand`` to every family."""
    return _each(
        realm,
        keys,
        make_for,
        lambda family, make, alg, beside: rotate_by_hand(realm, family, make, now, alg=alg, beside=beside),
    )


def _each(realm: Realm, keys: Iterable[RealmKey], make_for: MakeKeyFor, step: _Step) -> list[RealmKey]:
    known = list(keys)
    moved: list[RealmKey] = []
    for purpose in purposes(realm):
        of_purpose = [key for key in known if key.purpose is purpose]
        others = further_algs(realm) if purpose is KeyPurpose.CLIENTS else ()
        families = {signing_alg(realm): [key for key in of_purpose if key.alg not in others]}
        families |= {alg: [key for key in of_purpose if key.alg == alg] for alg in others}
        stepped: list[RealmKey] = []
        for alg, family in families.items():
            beside = [key for key in of_purpose if key not in family]
            stepped += step(family, make_for(purpose), alg, beside)
        # In their former order: what has not changed is equal.
        order = {key.kid: number for number, key in enumerate(of_purpose)}
        moved += sorted(stepped, key=lambda key: order.get(key.kid, len(order)))
    return moved


def signing_alg(realm: Realm) -> str:
    """Return the algorithm. keyturn's attribute precedes Keycloak's member, since an earlier build stored any
    value there."""
    chosen = realm.attributes.get(attributes.SIGNING_KEY_ALG, "").strip()
    named = realm.document.get(DEFAULT_SIGNATURE_ALG)
    return chosen or (named if isinstance(named, str) and named in ASYMMETRIC_NAMES else DEFAULT_ALG)


def settle_signing_alg(before: Realm, after: Realm, named: object) -> Realm:
    """Return the changed realm with attribute and member equal, whichever of them was changed.

    ``named``: the ``defaultSignatureAlgorithm`` of the request. Raises InvalidRequestError for an unsupported
    one, and for different changes of both.
    """
    attribute = after.attributes.get(attributes.SIGNING_KEY_ALG, "").strip()
    is_new_attribute = attribute != before.attributes.get(attributes.SIGNING_KEY_ALG, "").strip()
    if named in (None, "", signing_alg(before)):
        # The member is shown with every realm, so sending it back requests nothing.
        rest = {name: value for name, value in after.document.items() if name != DEFAULT_SIGNATURE_ALG}
        kept = before.document.get(DEFAULT_SIGNATURE_ALG)
        if kept is not None and not is_new_attribute:
            rest[DEFAULT_SIGNATURE_ALG] = kept
        return replace(after, document=rest)
    if not isinstance(named, str) or named not in ASYMMETRIC_NAMES:
        raise InvalidRequestError(
            f"{DEFAULT_SIGNATURE_ALG} must be one of {', '.join(sorted(ASYMMETRIC_NAMES))}"
        )
    if is_new_attribute and attribute and attribute != named:
        raise InvalidRequestError(f"{DEFAULT_SIGNATURE_ALG} contradicts {attributes.SIGNING_KEY_ALG}")
    if not attribute:
        return after
    return replace(after, attributes={**after.attributes, attributes.SIGNING_KEY_ALG: named})


def rotation_period(realm: Realm) -> int:
    """Return the seconds for which a key signs. Raises InvalidRequestError."""
    text = realm.attributes.get(attributes.SIGNING_KEY_PERIOD, "").strip()
    if not text:
        return DEFAULT_PERIOD
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) < LEAST_PERIOD:
        raise InvalidRequestError(f"{attributes.SIGNING_KEY_PERIOD} must be at least {LEAST_PERIOD} seconds")
    return int(text)


def first_keys(realm: Realm, make: MakeKey, alg: str | None = None) -> list[RealmKey]:
    """One that signs and one that will, with the realm's own algorithm unless another one is given."""
    alg = alg or signing_alg(realm)
    return [make(alg, KeyState.ACTIVE), make(alg, KeyState.NEXT)]


def rotate_due(
    realm: Realm,
    keys: Iterable[RealmKey],
    make: MakeKey,
    now: float,
    *,
    alg: str | None = None,
    beside: int = 0,
) -> list[RealmKey]:
    """Return the keys as they should be at ``now``: expired ones removed, the next one active if it is time;
    the same keys if nothing is due.

    A change of the realm's algorithm is a rotation that is due at once: a new next key is made for it,
    published, and becomes active after ``PUBLISHED_BEFORE_USE``. A rotation that would publish more than
    ``MAX_PUBLISHED`` keys waits until one is withdrawn. ``alg``: of this family, the realm's own unless
    given. ``beside``: how many keys of the same purpose are in other families.
    """
    alg = alg or signing_alg(realm)
    kept = _with_one_active(_without_ended(realm, keys, now), alg, now)
    kept = [key for key in kept if key.state is not KeyState.NEXT or key.alg == alg]
    active = next((key for key in kept if key.state is KeyState.ACTIVE), None)
    waiting = next((key for key in kept if key.state is KeyState.NEXT), None)
    if active is None:
        return rotate(realm, kept, make, now, alg)
    if waiting is None:
        return [*kept, make(alg, KeyState.NEXT)]
    due = now - active.state_since >= rotation_period(realm) or active.alg != alg
    may = len(kept) + beside < MAX_PUBLISHED and _is_known_everywhere(waiting, now)
    return rotate(realm, kept, make, now, alg) if due and may else kept


def rotate_by_hand(
    realm: Realm,
    keys: Iterable[RealmKey],
    make: MakeKey,
    now: float,
    *,
    alg: str | None = None,
    beside: Iterable[RealmKey] = (),
) -> list[RealmKey]:
    """Rotate like ``rotate``, without expired keys. Raises LimitReachedError if the realm would publish more
    than ``MAX_PUBLISHED`` keys, including those ``beside`` this family."""
    kept = _without_ended(realm, keys, now)
    published = [*kept, *_without_ended(realm, beside, now)]
    if len(published) >= MAX_PUBLISHED:
        ends = sorted(end for key in published if (end := ends_at(realm, key)) is not None)
        # Number of keys to withdraw first; each rotation adds one.
        possible = datetime.fromtimestamp(ends[len(published) - MAX_PUBLISHED], UTC)
        raise LimitReachedError(
            f"realm {realm.name} publishes {len(published)} signing keys and may have {MAX_PUBLISHED}:"
            f" former ones stay until the last token they signed has expired. The next rotation is possible"
            f" at {possible:%Y-%m-%dT%H:%M:%SZ}. With ?revoke=true it is possible now:"
            " all keys are then withdrawn, and what they signed is refused."
        )
    return rotate(realm, kept, make, now, alg)


def rotate(
    realm: Realm, keys: Iterable[RealmKey], make: MakeKey, now: float, alg: str | None = None
) -> list[RealmKey]:
    """Make the next key active and the active one retiring, and publish a new next one."""
    alg = alg or signing_alg(realm)
    moved: list[RealmKey] = []
    promoted = False
    for key in keys:
        if key.state is KeyState.ACTIVE:
            moved.append(_retired(key, now))
        elif key.state is KeyState.NEXT and not promoted:
            promoted = True
            moved.append(replace(key, state=KeyState.ACTIVE, state_since=now))
        else:
            moved.append(key)
    if not promoted:
        moved.append(make(alg, KeyState.ACTIVE))
    return [*moved, make(alg, KeyState.NEXT)]


def rotates_at(realm: Realm, keys: Iterable[RealmKey]) -> float | None:
    """Return when the next key becomes active by itself, NumericDate seconds; None without an active one."""
    active = active_key(realm, keys)
    return None if active is None else active.state_since + rotation_period(realm)


def ends_at(realm: Realm, key: RealmKey) -> float | None:
    """Return when a retiring key is withdrawn, NumericDate seconds; None for other keys."""
    return key.state_since + _retiring_period(realm) if key.state is KeyState.RETIRING else None


def _with_one_active(keys: list[RealmKey], alg: str, now: float) -> list[RealmKey]:
    """Retire all but one of the active keys: a family that has joined this one, as its algorithm became the
    realm's own or is no longer listed, has brought its own."""
    active = [key for key in keys if key.state is KeyState.ACTIVE]
    if len(active) < 2:
        return keys
    signs = next((key for key in active if key.alg == alg), active[0])
    return [_retired(key, now) if key in active and key is not signs else key for key in keys]


def _retired(key: RealmKey, now: float) -> RealmKey:
    return replace(key, state=KeyState.RETIRING, state_since=now, sealed_private_jwk=None)


def _without_ended(realm: Realm, keys: Iterable[RealmKey], now: float) -> list[RealmKey]:
    return [key for key in keys if not _is_over(realm, key, now)]


def _is_known_everywhere(key: RealmKey, now: float) -> bool:
    return now - key.state_since >= PUBLISHED_BEFORE_USE


def _is_over(realm: Realm, key: RealmKey, now: float) -> bool:
    return key.state is KeyState.RETIRING and now - key.state_since >= _retiring_period(realm)


def _retiring_period(realm: Realm) -> int:
    return max(realm.access_token_lifespan, MAX_CLIENT_LIFESPAN) + RETIRING_MARGIN
