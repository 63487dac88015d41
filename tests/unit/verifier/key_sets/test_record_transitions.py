"""The effect of an attempt on a record."""

import msgspec

from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_sets.record import KeySetRecord, decode_record, encode_record
from keyturn_shared.position import Position
from keyturn_verifier.key_sets.record_transitions import confirmed, failed, keep_seconds, with_keys
from tests.unit.verifier.key_sets.builders import POLICY, empty_record, make_attempt, make_set


def fetched(keys: KeySet, at: float = 1000.0) -> KeySetRecord:
    return with_keys(empty_record(), make_attempt(at), keys, {"etag": '"1"'}, POLICY)


def test_a_success_replaces_the_keys_whole_so_withdrawn_ones_are_gone() -> None:
    before = fetched(make_set("a", "b"))
    after = with_keys(before, make_attempt(1300), make_set("b", "c"), {}, POLICY)
    assert [jwk["kid"] for jwk in after.keys] == ["b", "c"]
    assert (after.fetched_at, after.changed_at, after.generation) == (1300, 1300, 1_300_000)
    assert after.etag is None
    assert after.content != before.content


def test_the_same_keys_again_are_no_change() -> None:
    keys = make_set("a")
    before = fetched(keys)
    after = with_keys(before, make_attempt(1300), keys, {}, POLICY)
    assert (after.content, after.changed_at, after.fetched_at) == (before.content, 1000, 1300)


def test_a_304_keeps_the_keys_and_the_validators_and_extends_the_bounds() -> None:
    before = fetched(make_set("a"))
    attempt = make_attempt(1300, as_of=Position(7, 105))
    after = confirmed(before, attempt, {"cache-control": "max-age=100"}, POLICY)
    assert (after.keys, after.etag, after.content) == (before.keys, '"1"', before.content)
    assert (after.fresh_until, after.stale_until) == (1400, 1400 + POLICY.outage)
    assert after.position == before.position


def test_a_failure_changes_neither_the_keys_nor_their_bounds_nor_their_position() -> None:
    before = fetched(make_set("a"))
    after = failed(before, make_attempt(1300, as_of=Position(9, 1)), "timeout", "x" * 1000, POLICY)
    untouched = ("keys", "content", "fetched_at", "fresh_until", "stale_until", "as_of", "etag")
    assert all(getattr(after, name) == getattr(before, name) for name in untouched)
    assert (after.failures, after.failure, after.attempts) == (1, "timeout", 2)
    assert len(after.failure_detail or "") == 300
    assert after.next_poll_at == 1310


def test_failures_are_counted_in_a_row_from_attempts_and_end_with_a_success() -> None:
    record = fetched(make_set("a"))
    for count, at in enumerate((1300.0, 1310.0, 1330.0), start=1):
        record = failed(record, make_attempt(at), "refused", "", POLICY)
        assert record.failures == count
        assert record.next_poll_at == at + 10 * 2 ** (count - 1)
    record = confirmed(record, make_attempt(1370), {}, POLICY)
    assert (record.failures, record.failure, record.failure_detail) == (0, None, None)


def test_a_long_etag_is_not_remembered() -> None:
    after = with_keys(empty_record(), make_attempt(), make_set("a"), {"etag": "x" * 513}, POLICY)
    assert after.etag is None


def test_a_record_survives_redis_and_its_numbers_can_be_read_by_scripts() -> None:
    record = failed(fetched(make_set("a", "b")), make_attempt(1300), "timeout", "", POLICY)
    value = encode_record(record)
    assert value.startswith(b"1300000:1:{")
    assert decode_record(value) == record


def test_a_record_of_a_later_version_still_loads() -> None:
    body = msgspec.json.encode({"url": "https://a.example/jwks", "of_a_later_version": 1})
    assert decode_record(b"5:0:" + body).url == "https://a.example/jwks"


def test_no_private_member_can_be_in_a_record() -> None:
    record = fetched(make_set("a"))
    assert set(record.keys[0]) == {"kid", "kty", "crv", "x", "y", "use"}


def test_redis_keeps_a_record_as_long_as_it_may_be_used_and_polled() -> None:
    record = fetched(make_set("a"))
    assert keep_seconds(record, 1000, POLICY) >= POLICY.outage + POLICY.idle


def test_validators_are_kept_as_they_were_sent_and_short() -> None:
    headers = {"etag": "e" * 512, "last-modified": "Tue, 24 Nov 2026 02:00:00 GMT"}
    after = with_keys(empty_record(), make_attempt(), make_set("a"), headers, POLICY)
    assert (after.etag, after.last_modified) == ("e" * 512, "Tue, 24 Nov 2026 02:00:00 GMT")
    again = with_keys(after, make_attempt(1300), make_set("a"), {"last-modified": "x" * 513}, POLICY)
    assert (again.etag, again.last_modified) == (None, None)


def test_keys_that_are_not_used_are_counted_and_the_first_ones_named() -> None:
    jwks: list[object] = [{"kty": "unknown", "kid": f"k{number}"} for number in range(25)]
    good = make_set("a")
    mixed = KeySet.from_members({"keys": [*jwks, *good.public_jwks["keys"]]})  # type: ignore[misc]  # a list
    after = with_keys(empty_record(), make_attempt(), mixed, {}, POLICY)
    assert (after.skipped, len(after.skipped_members), len(after.keys)) == (25, 20, 1)
    first = after.skipped_members[1]
    assert (first.index, first.kid, first.reason) == (1, "k1", mixed.skipped[1].reason.value)
    clean = with_keys(after, make_attempt(1300), good, {}, POLICY)
    assert (clean.skipped, clean.skipped_members) == (0, ())


def test_each_key_has_the_time_at_which_it_appeared_first() -> None:
    one, two, three = make_set("a"), make_set("b"), make_set("c")
    before = with_keys(empty_record(), make_attempt(1000), KeySet.of([*one.keys, *two.keys]), {}, POLICY)
    assert list(before.since) == [1000, 1000]
    after = with_keys(before, make_attempt(1300), KeySet.of([*three.keys, *two.keys]), {}, POLICY)
    assert list(after.since) == [1300, 1000]
    again = with_keys(after, make_attempt(1600), KeySet.of([*one.keys, *two.keys]), {}, POLICY)
    assert list(again.since) == [1600, 1000], "withdrawn and shown again, it is new"


def test_an_attempt_is_noted_with_its_time_whatever_became_of_it() -> None:
    record = fetched(make_set("a"))
    assert (record.attempted_at, record.attempts) == (1000, 1)
    assert record.next_poll_at == 1000 + 0.75 * 300
    record = failed(record, make_attempt(1300), "timeout", "x" * 400, POLICY)
    assert (record.attempted_at, record.attempts, record.fetched_at) == (1300, 2, 1000)
    assert record.failure_detail == "x" * 300
    record = confirmed(record, make_attempt(1400), {}, POLICY)
    assert (record.attempted_at, record.attempts, record.fetched_at) == (1400, 3, 1400)


def test_without_a_word_from_the_server_old_keys_stay_fresh_for_longer() -> None:
    record = fetched(make_set("a"))
    later = confirmed(record, make_attempt(6000), {}, POLICY)
    assert later.fresh_until == 6000 + 500, "a tenth of the time since they changed"
