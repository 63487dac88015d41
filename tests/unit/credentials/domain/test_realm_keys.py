"""A realm always has a signing key and a next one, whatever time passes and whatever changes."""

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_credentials.domain.realm import KeyPurpose, KeyState, Realm, RealmKey
from keyturn_credentials.domain.realm_keys import (
    LEAST_PERIOD,
    MAX_CLIENT_LIFESPAN,
    MAX_PUBLISHED,
    PUBLISHED_BEFORE_USE,
    RETIRING_MARGIN,
    MakeKey,
    active_key,
    first_keys,
    first_of_all,
    further_algs,
    rotate,
    rotate_all_by_hand,
    rotate_by_hand,
    rotate_due,
    settle_all,
)
from keyturn_credentials.errors import LimitReachedError
from keyturn_credentials.keystores import KeyPairKind, generate_key_pair
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.jose.key_set import MAX_KEYS, KeySet
from keyturn_shared.jose.signing import SigningKey

PERIOD = 86_400
DAY = 86_400


def realm(alg: str) -> Realm:
    attributes = {"keyturn.signing.algorithm": alg, "keyturn.signing.rotation-period": str(PERIOD)}
    return Realm("1", "acme", attributes=attributes)


class Maker:
    """Makes keys that differ by number."""

    def __init__(self) -> None:
        self.now = 0.0
        self._numbers = count()

    @property
    def make(self) -> MakeKey:
        def make(alg: str, state: KeyState) -> RealmKey:
            kid = str(next(self._numbers))
            return RealmKey(kid, "1", alg, state, {}, "", f"sealed {kid}", self.now, self.now)

        return make

    def make_for(self, purpose: KeyPurpose) -> MakeKey:
        return lambda alg, state: replace(self.make(alg, state), purpose=purpose)


def states(keys: list[RealmKey]) -> list[KeyState]:
    return [key.state for key in keys]


@given(
    st.lists(
        st.tuples(st.integers(0, 3 * DAY), st.sampled_from(["ES256", "EdDSA"]), st.booleans()), max_size=20
    )
)
def test_there_is_always_one_that_signs_and_one_that_will(steps: list[tuple[int, str, bool]]) -> None:
    maker = Maker()
    keys = first_keys(realm("ES256"), maker.make)
    for seconds, alg, by_hand in steps:
        maker.now += seconds
        before = {key.kid: key for key in keys}
        keys = (rotate if by_hand else rotate_due)(realm(alg), keys, maker.make, maker.now)
        assert states(keys).count(KeyState.ACTIVE) == 1
        assert states(keys).count(KeyState.NEXT) == 1
        for key in keys:
            was = before.get(key.kid)
            # Nothing goes back, and a retiring key loses its private half at once.
            assert was is None or list(KeyState).index(was.state) <= list(KeyState).index(key.state)
            assert (key.sealed_private_jwk is None) == (key.state is KeyState.RETIRING)
            if (
                not by_hand
                and key.state is KeyState.ACTIVE
                and was is not None
                and was.state is KeyState.NEXT
            ):
                assert maker.now - was.state_since >= PUBLISHED_BEFORE_USE
        gone = [key for kid, key in before.items() if kid not in {key.kid for key in keys}]
        for key in gone:
            longest = MAX_CLIENT_LIFESPAN
            retired_long_ago = key.state is KeyState.RETIRING and maker.now - key.state_since > longest
            assert retired_long_ago or (key.state is KeyState.NEXT and key.alg != alg)
        if not by_hand:
            assert rotate_due(realm(alg), keys, maker.make, maker.now) == keys


def test_an_active_key_retires_after_its_period() -> None:
    maker = Maker()
    keys = first_keys(realm("ES256"), maker.make)
    maker.now = PERIOD - 1
    assert rotate_due(realm("ES256"), keys, maker.make, maker.now) == keys
    maker.now = PERIOD
    moved = rotate_due(realm("ES256"), keys, maker.make, maker.now)
    assert states(moved) == [KeyState.RETIRING, KeyState.ACTIVE, KeyState.NEXT]
    assert moved[1].kid == keys[1].kid


def test_a_rotation_that_would_publish_more_keys_than_verifiers_read_is_refused() -> None:
    """The error says when there is room again, and then there is."""
    maker = Maker()
    shop = realm("ES256")
    keys = first_keys(shop, maker.make)
    first_rotation = maker.now = 1_000.0
    for _ in range(MAX_PUBLISHED - 2):
        keys = rotate_by_hand(shop, keys, maker.make, maker.now)
        maker.now += 1
    assert len(keys) == MAX_PUBLISHED
    with pytest.raises(LimitReachedError) as refused:
        rotate_by_hand(shop, keys, maker.make, maker.now)
    # 1000 s, plus the lifetime of a key's last token, plus the margin: 1970-01-02T00:26:40Z
    assert "1970-01-02T00:26:40Z" in refused.value.detail
    assert "revoke=true" in refused.value.detail
    maker.now = first_rotation + MAX_CLIENT_LIFESPAN + RETIRING_MARGIN
    assert len(rotate_by_hand(shop, keys, maker.make, maker.now)) == MAX_PUBLISHED


def test_an_algorithm_changed_to_and_fro_does_not_publish_more_keys_either() -> None:
    """Each change is a rotation that is due as soon as the next key was published long enough."""
    maker = Maker()
    keys = first_keys(realm("ES256"), maker.make)
    most = 0
    for turn in range(300):
        maker.now += PUBLISHED_BEFORE_USE // 2
        alg = "EdDSA" if turn // 3 % 2 else "ES256"
        keys = rotate_due(realm(alg), keys, maker.make, maker.now)
        most = max(most, len(keys))
    assert most == MAX_PUBLISHED
    assert states(keys).count(KeyState.ACTIVE) == states(keys).count(KeyState.NEXT) == 1


def test_the_shortest_period_leaves_room_for_rotations_by_hand() -> None:
    attributes = {"keyturn.signing.rotation-period": str(LEAST_PERIOD)}
    hourly = Realm("1", "acme", attributes=attributes)
    maker = Maker()
    keys = first_keys(hourly, maker.make)
    for _ in range(100):
        maker.now += LEAST_PERIOD
        keys = rotate_due(hourly, keys, maker.make, maker.now)
    assert len(keys) <= MAX_PUBLISHED - 5


def test_the_keys_a_realm_may_publish_are_well_below_what_verifiers_read() -> None:
    """The largest keys, read like a resource server reads them."""
    assert MAX_PUBLISHED * len(KeyPurpose) <= MAX_KEYS * 3 / 4
    pair = SigningKey(generate_key_pair(KeyPairKind.RSA_4096).reveal(), "PS512")
    others = (SigningKey.generate() for _ in range(MAX_PUBLISHED - 1))
    public = [key.public_jwk for key in (pair, *others)]
    text = strict_json.encode({"keys": public})
    largest = strict_json.encode({"keys": [pair.public_jwk] * MAX_PUBLISHED})
    assert len(KeySet.from_json(text).keys) == MAX_PUBLISHED
    KeySet.from_json(largest)  # one and the same key, skipped as such: only the length matters


def test_each_purpose_has_keys_that_live_by_themselves_and_master_has_those_for_administrators_alone() -> (
    None
):
    maker = Maker()

    def make_for(purpose: KeyPurpose) -> MakeKey:
        return lambda alg, state: replace(maker.make(alg, state), purpose=purpose)

    own = realm("ES256")
    keys = first_of_all(own, make_for)
    assert [(key.purpose, key.state) for key in keys] == [
        (purpose, state)
        for purpose in (KeyPurpose.CLIENTS, KeyPurpose.ADMINISTRATORS)
        for state in (KeyState.ACTIVE, KeyState.NEXT)
    ]
    assert settle_all(own, keys, make_for, maker.now) == keys
    moved = rotate_all_by_hand(own, keys, make_for, maker.now)
    for purpose in KeyPurpose:
        family = [key for key in moved if key.purpose is purpose]
        assert states(family) == [KeyState.RETIRING, KeyState.ACTIVE, KeyState.NEXT]
    master = replace(own, name="master")
    settled = settle_all(master, keys, make_for, maker.now)
    assert {key.purpose for key in settled} == {KeyPurpose.ADMINISTRATORS}, "the others go at once"
    of_former_build = [key for key in keys if key.purpose is KeyPurpose.CLIENTS]
    settled = settle_all(own, of_former_build, make_for, maker.now)
    assert settled[:2] == of_former_build
    assert sorted(states(settled[2:])) == [KeyState.ACTIVE, KeyState.NEXT]


FURTHER = "keyturn.signing.additional-algorithms"


def test_each_further_algorithm_has_keys_that_live_by_themselves() -> None:
    maker = Maker()
    plain = realm("ES256")
    keys = first_of_all(plain, maker.make_for)
    wider = replace(plain, attributes={**plain.attributes, FURTHER: "ES256, EdDSA"})
    assert further_algs(wider) == ("EdDSA",), "its own is none of the others"
    settled = settle_all(wider, keys, maker.make_for, maker.now)
    added = [key for key in settled if key not in keys]
    assert {(key.alg, key.purpose) for key in added} == {("EdDSA", KeyPurpose.CLIENTS)}
    assert sorted(states(added)) == [KeyState.ACTIVE, KeyState.NEXT]
    assert settle_all(wider, settled, maker.make_for, maker.now) == settled
    signs = active_key(wider, settled)
    assert signs is not None
    assert signs.alg == "ES256"
    rotated = rotate_all_by_hand(wider, settled, maker.make_for, maker.now)
    active = [(key.purpose, key.alg) for key in rotated if key.state is KeyState.ACTIVE]
    assert sorted(active) == sorted(
        [
            (KeyPurpose.CLIENTS, "ES256"),
            (KeyPurpose.CLIENTS, "EdDSA"),
            (KeyPurpose.ADMINISTRATORS, "ES256"),
        ]
    )


def test_the_keys_of_a_further_algorithm_sign_at_once_when_it_becomes_the_realms_own() -> None:
    """And the former one goes on for who asks for it, or retires."""
    maker = Maker()
    for listed, former in (("ES256,EdDSA", KeyState.ACTIVE), ("EdDSA", KeyState.RETIRING)):
        wider = replace(realm("ES256"), attributes={FURTHER: listed})
        keys = first_of_all(wider, maker.make_for)
        turned = replace(wider, attributes={FURTHER: listed, "keyturn.signing.algorithm": "EdDSA"})
        settled = settle_all(turned, keys, maker.make_for, maker.now)
        signs = active_key(turned, settled)
        assert signs is not None
        assert signs.alg == "EdDSA"
        first = next(key for key in keys if key.alg == "ES256" and is_client(key))
        assert [key.state for key in settled if key.kid == first.kid] == [former]


def test_the_keys_of_an_algorithm_that_is_no_longer_listed_only_verify() -> None:
    maker = Maker()
    wider = replace(realm("ES256"), attributes={FURTHER: "EdDSA"})
    keys = first_of_all(wider, maker.make_for)
    settled = settle_all(realm("ES256"), keys, maker.make_for, maker.now)
    assert [key.state for key in settled if key.alg == "EdDSA"] == [KeyState.RETIRING]
    assert [key.alg for key in settled if is_client(key) and key.state is KeyState.ACTIVE] == ["ES256"]


def test_keys_of_all_algorithms_count_for_the_limit() -> None:
    maker = Maker()
    wider = replace(realm("ES256"), attributes={FURTHER: ",".join(sorted(ASYMMETRIC_NAMES))})
    keys = first_of_all(wider, maker.make_for)
    with pytest.raises(LimitReachedError):
        for _ in range(MAX_PUBLISHED):
            keys = rotate_all_by_hand(wider, keys, maker.make_for, maker.now)
    assert len(keys) < MAX_KEYS


def is_client(key: RealmKey) -> bool:
    return key.purpose is KeyPurpose.CLIENTS
