"""Rules for the expiry and overlap of secrets, for any sequence of actions."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_credentials.domain.secrets import (
    ClientSecrets,
    Due,
    RotationPolicy,
    StoredSecret,
    cap_expiry,
    check_chosen,
    check_overlap,
    due_change,
    generate_secret,
    make_current,
    set_expiry,
    without_plain,
    without_rotation,
)
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.secret import Secret

PERIODS = st.integers(1, 1000)
POLICIES = PERIODS.flatmap(
    lambda expiration: st.builds(
        RotationPolicy, st.just(expiration), st.integers(0, expiration), st.integers(0, expiration)
    )
)
STEPS = st.lists(st.tuples(st.integers(0, 500), st.one_of(st.none(), POLICIES)), max_size=12)


def secret(name: str, now: float) -> StoredSecret:
    return StoredSecret(digest=name, created_at=now, secret=Secret(name))


@given(STEPS)
def test_no_secret_lives_longer_than_it_was_to_when_it_was_made(
    steps: list[tuple[int, RotationPolicy | None]],
) -> None:
    """A renewal only ever shortens the validity of the secret that was current."""
    now, kept = 0.0, ClientSecrets()
    for number, (seconds, policy) in enumerate(steps):
        now += seconds
        former = kept.current
        kept = make_current(kept, secret(str(number), now), policy, now)
        assert kept.current is not None
        assert kept.current.digest == str(number)
        assert kept.current.expires_at == (None if policy is None else now + policy.expiration)
        if kept.rotated is None:
            continue
        assert policy is not None
        assert former is not None
        assert kept.rotated.digest == former.digest
        assert kept.rotated.is_valid(now)
        assert kept.rotated.expires_at is not None
        assert kept.rotated.expires_at <= now + policy.rotated_expiration
        assert former.expires_at is None or kept.rotated.expires_at <= former.expires_at


@given(POLICIES, st.integers(0, 2000))
def test_a_change_replaces_a_valid_secret_only_if_nothing_else_rotates_it(
    policy: RotationPolicy, later: int
) -> None:
    kept = make_current(ClientSecrets(), secret("a", 0.0), policy, 0.0)
    by_hand = due_change(kept, policy, float(later), automatic=False)
    assert (by_hand is Due.ROTATE) == (later >= policy.expiration - policy.remaining_rotation)
    by_itself = due_change(kept, policy, float(later))
    assert (by_itself is Due.ROTATE) == (later >= policy.expiration)


def test_a_policy_that_comes_later_gives_the_secret_an_end_from_then_on() -> None:
    kept = make_current(ClientSecrets(), secret("a", 0.0), None, 0.0)
    policy = RotationPolicy(100)
    assert due_change(kept, None, 50.0) is Due.NOTHING
    assert due_change(kept, policy, 50.0) is Due.SET_EXPIRY
    stamped = set_expiry(kept, policy, 50.0)
    assert stamped.current is not None
    assert stamped.current.expires_at == 150.0


def test_without_a_policy_neither_an_end_nor_a_former_secret_stays() -> None:
    policy = RotationPolicy(100, 10)
    kept = make_current(ClientSecrets(), secret("a", 0.0), policy, 0.0)
    kept = make_current(kept, secret("b", 1.0), policy, 1.0)
    assert due_change(kept, None, 2.0) is Due.FORGET_ROTATED
    left = without_rotation(kept, 2.0)
    assert left == ClientSecrets(current=replace(secret("b", 1.0), expires_at=None))
    assert due_change(left, None, 2.0) is Due.NOTHING
    assert due_change(ClientSecrets(), policy, 2.0) is Due.NOTHING


@pytest.mark.parametrize("policy", [None, RotationPolicy(100, 10)])
def test_an_overlap_chosen_for_one_secret_holds_with_and_without_a_policy(
    policy: RotationPolicy | None,
) -> None:
    first = make_current(ClientSecrets(), secret("a", 0.0), policy, 0.0)
    kept = make_current(first, secret("b", 1.0), policy, 1.0, overlap=50)
    assert kept.rotated is not None
    assert (kept.rotated.digest, kept.rotated.expires_at) == ("a", 51.0)
    assert due_change(kept, policy, 2.0) is Due.NOTHING
    assert without_rotation(kept, 2.0).rotated == kept.rotated, (
        "the end of a policy does not break the promise"
    )
    assert without_rotation(kept, 51.0).rotated is None
    assert make_current(first, secret("b", 1.0), policy, 1.0, overlap=0).rotated is None


def test_a_chosen_overlap_never_extends_a_secret() -> None:
    first = make_current(ClientSecrets(), secret("a", 0.0), RotationPolicy(100), 0.0)
    kept = make_current(first, secret("b", 90.0), RotationPolicy(100), 90.0, overlap=50)
    assert kept.rotated is not None
    assert kept.rotated.expires_at == 100.0
    expired = make_current(first, secret("b", 100.0), RotationPolicy(100), 100.0, overlap=50)
    assert expired.rotated is None
    with pytest.raises(InvalidRequestError, match="overlap"):
        check_overlap(366 * 86_400 + 1)


def test_without_a_policy_an_expired_secret_stays_expired() -> None:
    expired = make_current(ClientSecrets(), secret("a", 0.0), RotationPolicy(100), 0.0)
    assert due_change(expired, None, 100.0) is Due.FORGET_ROTATED
    assert without_rotation(expired, 100.0) == expired


def test_digests_alone_are_the_same_secrets() -> None:
    kept = ClientSecrets(secret("a", 0.0), secret("b", 0.0))
    bare = without_plain(kept)
    assert bare.current == replace(secret("a", 0.0), secret=None)
    assert bare.rotated == replace(secret("b", 0.0), secret=None)
    assert without_plain(ClientSecrets()) == ClientSecrets()


@pytest.mark.parametrize(
    "values",
    [
        {"expiration-period": "0"},
        {"expiration-period": "x"},
        {"expiration-period": "١"},
        {"expiration-period": "99999999999"},
        {"expiration-period": "10", "rotated-expiration-period": "11"},
        {"expiration-period": "10", "remaining-rotation-period": "11"},
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(values: dict[str, str]) -> None:
    named = {f"keyturn.secret.{name}": value for name, value in values.items()}
    with pytest.raises(InvalidRequestError, match=r"keyturn\.secret"):
        RotationPolicy.from_attributes(named, {})


def test_a_clients_own_policy_takes_the_place_of_its_realms() -> None:
    own, realms = ({"keyturn.secret.expiration-period": text} for text in ("10", "20"))
    assert RotationPolicy.from_attributes(own, realms) == RotationPolicy(10)
    assert RotationPolicy.from_attributes(
        {"keyturn.secret.expiration-period": " "}, realms
    ) == RotationPolicy(20)
    assert RotationPolicy.from_attributes({}, {}) is None


def test_generated_secrets_have_256_bits_and_are_never_the_same() -> None:
    made = {generate_secret().reveal() for _ in range(100)}
    assert len(made) == 100
    assert {len(text) for text in made} == {43}


@pytest.mark.parametrize("text", ["", "x" * 1025, "tab\t", "ключ", "\x7f", "*", "**********"])
def test_a_secret_that_no_client_could_send_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        check_chosen(text)
    assert check_chosen("a b~!").reveal() == "a b~!"


@pytest.mark.parametrize("text", ["a", "~" * 1024, "with spaces and !"])
def test_a_secret_may_have_as_many_printable_characters_as_a_client_can_send(text: str) -> None:
    assert check_chosen(text).reveal() == text


def test_a_secret_that_signs_has_512_bits() -> None:
    """HS512 requires as many (RFC 7518 section 3.2)."""
    assert len(generate_secret(signs=True).reveal()) == 86
    assert len(generate_secret().reveal()) == 43


def test_each_period_of_a_policy_is_read_as_itself() -> None:
    def read(expiration: str, rotated: str, remaining: str) -> RotationPolicy | None:
        names = ("expiration-period", "rotated-expiration-period", "remaining-rotation-period")
        values = (expiration, rotated, remaining)
        source = {f"keyturn.secret.{name}": text for name, text in zip(names, values, strict=True)}
        return RotationPolicy.from_attributes(source, {})

    assert read("30", "20", "10") == RotationPolicy(30, 20, 10)
    assert read("1", "1", "1") == RotationPolicy(1, 1, 1)
    assert read("9999999999", "0", "") == RotationPolicy(9_999_999_999, 0, 0)
    for wrong in (("10", "11", "0"), ("10", "0", "11"), ("0", "0", "0"), ("99999999999", "0", "0")):
        with pytest.raises(InvalidRequestError):
            read(*wrong)


def test_without_a_policy_a_new_secret_never_expires() -> None:
    dated = replace(secret("new", 1.0), expires_at=5.0)
    assert make_current(ClientSecrets(), dated, None, 2.0) == ClientSecrets(replace(dated, expires_at=None))


@pytest.mark.parametrize(("stated", "latest", "ends"), [(None, 7.0, 7.0), (5.0, 7.0, 5.0), (9.0, 7.0, 7.0)])
def test_a_secret_ends_at_the_latest_when_it_is_told_to(
    stated: float | None, latest: float, ends: float
) -> None:
    former = secret("former", 0.0)
    before = ClientSecrets(replace(secret("current", 1.0), expires_at=stated), former)
    after = cap_expiry(before, latest)
    assert after == ClientSecrets(replace(secret("current", 1.0), expires_at=ends), former)


def test_where_there_is_no_secret_none_ends() -> None:
    assert cap_expiry(ClientSecrets(), 7.0) == ClientSecrets()
