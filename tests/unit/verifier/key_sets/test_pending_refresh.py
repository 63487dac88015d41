"""The verdict on waiting requests."""

import asyncio

from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_shared.position import BEGINNING
from keyturn_verifier.key_sets.cache import CachedKeySet
from keyturn_verifier.key_sets.pending_refresh import Waiter
from keyturn_verifier.key_sets.record_transitions import confirmed, failed, with_keys
from keyturn_verifier.key_sets.redis_repository import Answer, DemandReply, FetchLease
from tests.testkit.key_set_requirements import ANY
from tests.unit.verifier.key_sets.builders import POLICY, empty_record, make_attempt, make_set

KEYS = make_set("a")
FETCHED = with_keys(empty_record(), make_attempt(1000), KEYS, {}, POLICY)


def cached(record: KeySetRecord) -> CachedKeySet:
    return CachedKeySet(record, KEYS)


def waiter(kid: str, asked_at: int | None = None, **changes: object) -> Waiter:
    verdict = asyncio.get_running_loop().create_future()
    made = Waiter(ANY, kid, "ES256", 0.0, verdict, asked_at)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


async def test_a_key_that_is_there_is_the_verdict_whoever_fetched_it() -> None:
    assert waiter("a").evaluate(cached(FETCHED), 1001, POLICY) == KEYS.keys


async def test_an_attempt_that_began_before_the_request_says_nothing_about_its_kid() -> None:
    assert waiter("b", asked_at=1_000_000).evaluate(cached(FETCHED), 1001, POLICY) is None
    assert waiter("b", asked_at=None).evaluate(cached(FETCHED), 1001, POLICY) is None


async def test_an_attempt_that_began_after_the_request_decides() -> None:
    verdict = waiter("b", asked_at=999_999).evaluate(cached(FETCHED), 1001, POLICY)
    assert isinstance(verdict, UnknownKidError)


async def test_a_failed_attempt_leaves_the_kid_undecided() -> None:
    failing = failed(FETCHED, make_attempt(1010), "timeout", "slow", POLICY)
    verdict = waiter("b", asked_at=1_005_000).evaluate(cached(failing), 1011, POLICY)
    assert isinstance(verdict, KeysUnavailableError)
    assert "timeout" in verdict.detail
    assert isinstance(waiter("b").give_up(cached(failing), 1011, POLICY), KeysUnavailableError)


async def test_lapsed_keys_serve_only_when_no_attempt_can_be_waited_for() -> None:
    lapsed = FETCHED.fresh_until + 1
    assert waiter("a").evaluate(cached(FETCHED), lapsed, POLICY) is None
    assert waiter("a").can_do_without(cached(FETCHED), lapsed, POLICY)
    assert waiter("a").give_up(cached(FETCHED), lapsed, POLICY) == KEYS.keys
    assert isinstance(waiter("b").give_up(cached(FETCHED), lapsed, POLICY), UnknownKidError)


async def test_cleared_keys_never_serve() -> None:
    required = Required(7, 101)
    cleared = waiter("a", required=required)
    assert cleared.need(cached(FETCHED), 1001, POLICY) == "keys"
    assert cleared.evaluate(cached(FETCHED), 1001, POLICY) is None
    assert not cleared.can_do_without(cached(FETCHED), 1001, POLICY)
    assert isinstance(cleared.give_up(cached(FETCHED), 1001, POLICY), KeysUnavailableError)
    confirmed_since = confirmed(FETCHED, make_attempt(1005, as_of=required), {}, POLICY)
    assert cleared.evaluate(cached(confirmed_since), 1006, POLICY) is None
    again = with_keys(FETCHED, make_attempt(1010, as_of=required), KEYS, {}, POLICY)
    assert cleared.evaluate(cached(again), 1011, POLICY) == KEYS.keys


async def test_keys_that_are_all_revoked_are_asked_for_again_like_an_unknown_kid() -> None:
    revoked = waiter("a", excluded=frozenset({KEYS.keys[0].thumbprint}), asked_at=999_999)
    assert revoked.need(cached(FETCHED), 1001, POLICY) == "kid"
    assert isinstance(revoked.evaluate(cached(FETCHED), 1001, POLICY), UnknownKidError)


async def test_nothing_held_means_keys_unavailable() -> None:
    assert waiter("a").need(None, 0, POLICY) == "keys"
    assert waiter("a").evaluate(None, 0, POLICY) is None
    assert isinstance(waiter("a").give_up(None, 0, POLICY), KeysUnavailableError)


async def test_keys_of_a_url_that_fails_serve_who_waits_for_them() -> None:
    failing = cached(failed(FETCHED, make_attempt(1290), "timeout", "", POLICY))
    assert waiter("a").need(failing, 1305, POLICY) == "kid"
    assert waiter("a").evaluate(failing, 1305, POLICY) == KEYS.keys
    assert waiter("a").give_up(failing, 1305, POLICY) == KEYS.keys
    assert waiter("a").can_do_without(failing, 1305, POLICY)
    assert not waiter("b").can_do_without(failing, 1305, POLICY)
    assert not waiter("a").can_do_without(None, 1305, POLICY)


async def test_keys_from_before_a_clearing_say_nothing_about_a_kid() -> None:
    """An attempt that began after the request brought them, but the server said that nothing changed."""
    required = Required(7, 101)
    confirmed_since = cached(confirmed(FETCHED, make_attempt(1005), {}, POLICY))
    assert waiter("b", asked_at=1_000_000, required=required).evaluate(confirmed_since, 1006, POLICY) is None
    gone = waiter("b", required=required).give_up(confirmed_since, 1006, POLICY)
    assert isinstance(gone, KeysUnavailableError)
    assert gone.detail == "the key set is too old, or was fetched before the cache was cleared"


async def test_keys_that_failed_already_are_none() -> None:
    other = make_set("a")
    both = CachedKeySet(FETCHED, KeySet.of([*KEYS.keys, *other.keys]))
    excluded = frozenset({KEYS.keys[0].thumbprint})
    assert waiter("a", excluded=excluded).candidates(both) == (*KEYS.keys, *other.keys)
    assert waiter("a", excluded=excluded).candidates(cached(FETCHED)) == ()
    assert waiter("a").candidates(cached(FETCHED)) == KEYS.keys


def reply(now: int, generation: int | None = None) -> DemandReply:
    if generation is None:
        return DemandReply(Answer.IN_PROGRESS, now)
    lease = FetchLease("id", "token", generation, BEGINNING, FETCHED)
    return DemandReply(Answer.CLAIMED, now, lease=lease)


async def test_an_attempt_counts_if_it_began_after_redis_was_asked_or_for_this_very_request() -> None:
    other = waiter("a")
    other.asked(reply(1_000))
    assert other.asked_at == 1_000
    other.asked(reply(2_000))
    assert other.asked_at == 1_000, "the first time counts"
    own = waiter("a")
    own.asked(reply(1_000, generation=1_000))
    assert own.asked_at == 999, "however coarse the clock"
    own = waiter("a", asked_at=900)
    own.asked(reply(2_000, generation=2_000))
    assert own.asked_at == 900
    early = waiter("a", asked_at=3_000)
    early.asked(reply(2_000, generation=2_000))
    assert early.asked_at == 1_999
    later = waiter("a")
    later.asked(reply(1_000, generation=5_000))
    assert later.asked_at == 1_000
