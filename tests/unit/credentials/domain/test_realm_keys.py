"""A realm always has a key that signs and one that will, whatever time passes and whatever changes."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey
from keyturn_credentials.domain.realm_keys import (
    MAX_CLIENT_LIFESPAN,
    PUBLISHED_BEFORE_USE,
    MakeKey,
    first_keys,
    rotate,
    settle,
)

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
        keys = (rotate if by_hand else settle)(realm(alg), keys, maker.make, maker.now)
        assert states(keys).count(KeyState.ACTIVE) == 1
        assert states(keys).count(KeyState.NEXT) == 1
        for key in keys:
            was = before.get(key.kid)
            # Nothing goes back, and what retires loses its private half at once.
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
            assert settle(realm(alg), keys, maker.make, maker.now) == keys


def test_an_active_key_retires_after_its_period() -> None:
    maker = Maker()
    keys = first_keys(realm("ES256"), maker.make)
    maker.now = PERIOD - 1
    assert settle(realm("ES256"), keys, maker.make, maker.now) == keys
    maker.now = PERIOD
    moved = settle(realm("ES256"), keys, maker.make, maker.now)
    assert states(moved) == [KeyState.RETIRING, KeyState.ACTIVE, KeyState.NEXT]
    assert moved[1].kid == keys[1].kid
