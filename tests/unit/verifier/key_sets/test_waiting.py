"""The verdict on requests that wait."""

import asyncio

from keyturn_shared.key_sets.record import ANY, KeySetRecord, Required
from keyturn_verifier.key_sets.attempts import confirmed, failed, with_keys
from keyturn_verifier.key_sets.errors import KeysUnavailableError, UnknownKidError
from keyturn_verifier.key_sets.held import HeldKeySet
from keyturn_verifier.key_sets.waiting import Waiter
from tests.unit.verifier.key_sets.builders import POLICY, empty_record, make_attempt, make_set

KEYS = make_set("a")
FETCHED = with_keys(empty_record(), make_attempt(1000), KEYS, {}, POLICY)


def held(record: KeySetRecord) -> HeldKeySet:
    return HeldKeySet(record, KEYS)


def waiter(kid: str, asked_at: int | None = None, **changes: object) -> Waiter:
    verdict = asyncio.get_running_loop().create_future()
    made = Waiter(ANY, kid, "ES256", 0.0, verdict, asked_at)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


async def test_a_key_that_is_there_is_the_verdict_whoever_fetched_it() -> None:
    assert waiter("a").judge(held(FETCHED), 1001, POLICY) == KEYS.keys


async def test_an_attempt_that_began_before_the_request_says_nothing_about_its_kid() -> None:
    assert waiter("b", asked_at=1_000_000).judge(held(FETCHED), 1001, POLICY) is None
    assert waiter("b", asked_at=None).judge(held(FETCHED), 1001, POLICY) is None


async def test_an_attempt_that_began_after_the_request_decides() -> None:
    verdict = waiter("b", asked_at=999_999).judge(held(FETCHED), 1001, POLICY)
    assert isinstance(verdict, UnknownKidError)


async def test_a_failed_attempt_leaves_the_kid_undecided() -> None:
    failing = failed(FETCHED, make_attempt(1010), "timeout", "slow", POLICY)
    verdict = waiter("b", asked_at=1_005_000).judge(held(failing), 1011, POLICY)
    assert isinstance(verdict, KeysUnavailableError)
    assert "timeout" in verdict.detail
    assert isinstance(waiter("b").give_up(held(failing), 1011, POLICY), KeysUnavailableError)


async def test_lapsed_keys_serve_only_when_no_attempt_can_be_waited_for() -> None:
    lapsed = FETCHED.fresh_until + 1
    assert waiter("a").judge(held(FETCHED), lapsed, POLICY) is None
    assert waiter("a").can_do_without(held(FETCHED), lapsed, POLICY)
    assert waiter("a").give_up(held(FETCHED), lapsed, POLICY) == KEYS.keys
    assert isinstance(waiter("b").give_up(held(FETCHED), lapsed, POLICY), UnknownKidError)


async def test_cleared_keys_never_serve() -> None:
    required = Required(7, 101)
    cleared = waiter("a", required=required)
    assert cleared.need(held(FETCHED), 1001, POLICY) == "keys"
    assert cleared.judge(held(FETCHED), 1001, POLICY) is None
    assert not cleared.can_do_without(held(FETCHED), 1001, POLICY)
    assert isinstance(cleared.give_up(held(FETCHED), 1001, POLICY), KeysUnavailableError)
    confirmed_since = confirmed(FETCHED, make_attempt(1005, as_of=required), {}, POLICY)
    assert cleared.judge(held(confirmed_since), 1006, POLICY) is None
    again = with_keys(FETCHED, make_attempt(1010, as_of=required), KEYS, {}, POLICY)
    assert cleared.judge(held(again), 1011, POLICY) == KEYS.keys


async def test_keys_that_are_all_revoked_are_asked_for_again_like_an_unknown_kid() -> None:
    revoked = waiter("a", besides=frozenset({KEYS.keys[0].thumbprint}), asked_at=999_999)
    assert revoked.need(held(FETCHED), 1001, POLICY) == "kid"
    assert isinstance(revoked.judge(held(FETCHED), 1001, POLICY), UnknownKidError)


async def test_nothing_held_means_keys_unavailable() -> None:
    assert waiter("a").need(None, 0, POLICY) == "keys"
    assert waiter("a").judge(None, 0, POLICY) is None
    assert isinstance(waiter("a").give_up(None, 0, POLICY), KeysUnavailableError)
