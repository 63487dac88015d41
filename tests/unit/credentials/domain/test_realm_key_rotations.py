"""A realm's signing keys as rotations."""

from typing import Any

import pytest

from keyturn_credentials.domain.realm import KeyPurpose, KeyState, Realm, RealmKey
from keyturn_credentials.domain.realm_key_rotations import realm_key_rotations
from keyturn_credentials.domain.realm_keys import DEFAULT_PERIOD, PUBLISHED_BEFORE_USE, ends_at
from keyturn_credentials.domain.rotation import State, WaitsFor

REALM = Realm(id="realm-1", name="acme")


def key(kid: str, state: KeyState, created_at: float, since: float, **changes: Any) -> RealmKey:
    given = {"alg": "ES256", "purpose": KeyPurpose.CLIENTS} | changes
    return RealmKey(
        kid=kid,
        realm_id="realm-1",
        state=state,
        public_jwk={},
        certificate="",
        sealed_private_jwk=None,
        created_at=created_at,
        state_since=since,
        **given,
    )


ACTIVE = key("active", KeyState.ACTIVE, 0.0, 100.0)
NEXT = key("next", KeyState.NEXT, 100.0, 100.0)
RETIRING = key("former", KeyState.RETIRING, -900.0, 100.0)


@pytest.mark.parametrize(
    ("now", "waits_for"),
    [(100.0, WaitsFor.NODES), (100.0 + PUBLISHED_BEFORE_USE, WaitsFor.START)],
)
def test_the_next_key_is_prepared_until_it_signs(now: float, waits_for: WaitsFor) -> None:
    next_one, active = realm_key_rotations(REALM, [ACTIVE, NEXT], now)
    assert (next_one.id, next_one.state, next_one.waits_for) == ("next", State.PREPARED, waits_for)
    assert (next_one.start_at, next_one.former) == (100.0 + DEFAULT_PERIOD, ("active",))
    assert (active.id, active.state, active.waits_for) == ("active", State.DONE, None)


def test_a_key_is_in_use_while_former_ones_verify() -> None:
    (active,) = realm_key_rotations(REALM, [RETIRING, ACTIVE], 200.0)
    assert (active.state, active.waits_for, active.former) == (State.IN_USE, WaitsFor.OVERLAP, ("former",))
    assert active.retire_at == ends_at(REALM, RETIRING)
    assert [(move.state, move.at) for move in active.history] == [
        (State.PREPARED, 0.0),
        (State.IN_USE, 100.0),
    ]


def test_families_are_apart() -> None:
    others = [
        key("administrators", KeyState.ACTIVE, 0.0, 0.0, purpose=KeyPurpose.ADMINISTRATORS),
        key("rsa", KeyState.RETIRING, 0.0, 50.0, alg="RS256"),
    ]
    found = realm_key_rotations(REALM, [ACTIVE, *others], 200.0)
    assert {each.id: each.state for each in found} == {"active": State.DONE, "administrators": State.DONE}
