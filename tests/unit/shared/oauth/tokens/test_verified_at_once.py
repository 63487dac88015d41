"""Access tokens verified without waiting: from memory, and again from the cache of verified ones."""

import json
from typing import Any
from weakref import ref

import pytest
from msgspec.structs import replace

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.errors import BadSignatureError, ExpiredError, MalformedError
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.entities import ClientState, RealmState
from keyturn_shared.oauth.errors import (
    ClientDisabledError,
    FencedError,
    TokenEndedError,
    TokenRevokedError,
    UnknownClientError,
    UnsettledError,
    WrongAudienceError,
)
from keyturn_shared.oauth.tokens import token_cache, verification
from keyturn_shared.oauth.tokens.token_cache import MAX_CACHED_BYTES, VerifiedAccessToken
from keyturn_shared.projection import token_digest
from tests.testkit.filled_redis import RING
from tests.testkit.oauth_scene import (
    BASE_URL,
    CACHED,
    OTHER_KEY,
    SKEW,
    Scene,
    access_token,
    assertion,
    client,
    scene,
)
from tests.testkit.signature_counts import count_signatures

API = "https://api.example"


@pytest.fixture
def made() -> Scene:
    return scene(client(), client("shop", resource_audiences=(API,)))


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return count_signatures(monkeypatch)


def test_a_signature_is_checked_once(made: Scene, signatures: list[str]) -> None:
    token = access_token(made)
    for _ in range(3):
        verified = made.tokens.verify_at_once("acme", token)
        assert verified is not None
        assert (verified.client_id, verified.claims["jti"]) == ("worker", "a-token")
    assert len(signatures) == 1
    assert (made.cache.hits, made.cache.misses) == (2, 1)


async def test_what_was_verified_with_waiting_is_not_verified_again(
    made: Scene, signatures: list[str]
) -> None:
    for verify in (made.tokens.verify, made.tokens.verify_access_token):
        token = access_token(made, jti=verify.__name__)
        await verify("acme", token)
        signatures.clear()
        assert made.tokens.verify_at_once("acme", token) is not None
        assert signatures == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"enabled": False}, ClientDisabledError),
        ({"service_accounts_enabled": False}, ClientDisabledError),
        ({"token_generation": 1}, TokenEndedError),
        ({"not_before": 2_000_000_000}, TokenEndedError),
        ({"revoked_tokens": frozenset({token_digest("a-token")})}, TokenRevokedError),
        ({"uuid": "another"}, UnknownClientError),
    ],
)
def test_an_event_about_the_client_ends_a_token_that_was_verified(
    made: Scene, changes: dict[str, Any], refusal: type[KeyturnError]
) -> None:
    token = access_token(made)
    assert made.tokens.verify_at_once("acme", token) is not None
    made.change(replace(client(), **changes))
    with pytest.raises(refusal):
        made.tokens.verify_at_once("acme", token)


def test_an_event_about_the_realm_ends_a_token_that_was_verified(made: Scene) -> None:
    token = access_token(made)
    assert made.tokens.verify_at_once("acme", token) is not None
    made.realm.superseded = True
    made.realm = RealmState(replace(made.realm.projection, token_generation=1), RING, BASE_URL)
    with pytest.raises(TokenEndedError):
        made.tokens.verify_at_once("acme", token)


def test_a_state_that_left_memory_takes_its_tokens_with_it(made: Scene) -> None:
    token = access_token(made)
    assert made.tokens.verify_at_once("acme", token) is not None
    made.clients["worker"].superseded = True
    made.away.add("worker")
    assert made.tokens.verify_at_once("acme", token) is None
    assert len(made.cache) == 0


def test_times_are_compared_at_every_use(made: Scene) -> None:
    token = access_token(made, nbf=made.clock.time + 5)
    begun = made.clock.time
    assert made.tokens.verify_at_once("acme", token) is not None
    made.clock.time = begun + 300 + SKEW
    with pytest.raises(ExpiredError):
        made.tokens.verify_at_once("acme", token)
    made.clock.time = begun
    assert made.tokens.verify_at_once("acme", token) is not None
    made.clock.time = begun - SKEW  # set back
    with pytest.raises(KeyturnError, match="nbf"):
        made.tokens.verify_at_once("acme", token)


def test_neither_a_token_nor_a_refusal_is_given_without_a_lease(made: Scene) -> None:
    good, forged = access_token(made), access_token(made, key=OTHER_KEY)
    assert made.tokens.verify_at_once("acme", good) is not None
    made.fenced = True
    for token in (good, forged, access_token(made, jti="never seen"), "no token"):
        with pytest.raises(FencedError):
            made.tokens.verify_at_once("acme", token)


def test_a_token_of_one_realm_is_none_of_another(made: Scene) -> None:
    token = access_token(made)
    assert made.tokens.verify_at_once("acme", token) is not None
    assert made.tokens.verify_at_once("other", token) is None


@pytest.mark.parametrize("away", ["acme", "worker"])
def test_what_is_not_in_memory_is_left_to_the_complete_procedure(made: Scene, away: str) -> None:
    made.away.add(away)
    assert made.tokens.verify_at_once("acme", access_token(made)) is None


def test_a_realm_that_is_disabled_is_left_to_the_complete_procedure(made: Scene) -> None:
    """No token counts, of any generation."""
    token = access_token(made, generation=7)
    assert made.tokens.verify_at_once("acme", token) is not None
    made.realm.superseded = True
    made.realm = RealmState(replace(made.realm.projection, enabled=False), RING, BASE_URL)
    for text in (token, access_token(made, generation=7, jti="2")):
        assert made.tokens.verify_at_once("acme", text) is None


def test_a_client_is_looked_for_only_if_the_realm_has_vouched_for_its_name(made: Scene) -> None:
    """A forged token is refused alike whether its client is in memory or not."""
    made.away.add("shop")
    for client_id in ("worker", "shop", "nobody"):
        with pytest.raises(BadSignatureError):
            made.tokens.verify_at_once("acme", _with_signature_of_another(made, client_id=client_id))


def test_a_token_that_a_client_signed_itself_is_left_to_the_complete_procedure(made: Scene) -> None:
    assert made.tokens.verify_at_once("acme", assertion(made)) is None
    assert len(made.cache) == 0


def test_a_refusal_is_found_out_every_time(made: Scene, signatures: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(BadSignatureError):
            made.tokens.verify_at_once("acme", _with_signature_of_another(made))
    assert len(signatures) == 2
    with pytest.raises(MalformedError):
        made.tokens.verify_at_once("acme", "no token")
    assert len(made.cache) == 0


def test_whoever_a_token_is_not_for_learns_nothing_of_it_from_the_cache(
    made: Scene, signatures: list[str]
) -> None:
    token = access_token(made, aud=API)
    assert made.tokens.verify_at_once("acme", token, caller="worker") is not None
    signatures.clear()
    for _ in range(2):
        assert made.tokens.verify_at_once("acme", token, caller="shop") is None
        assert made.tokens.verify_at_once("acme", token, caller="shop", represented=(API,)) is not None
    assert made.tokens.verify_at_once("acme", access_token(made, aud=API, jti="2"), caller="shop") is None
    assert signatures == [], "nothing is checked for them"


def test_for_whoever_a_token_is_not_for_as_much_is_done_whether_it_was_seen_before_or_not(
    made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many tokens in one request, even a few microseconds each would say which of them are valid."""
    seen, unseen = access_token(made, aud=API), access_token(made, aud=API, jti="2")
    made.tokens.verify_at_once("acme", seen, caller="worker")
    done: list[str] = []

    def noted(owner: object, name: str) -> None:
        sound = getattr(owner, name)

        def called(*arguments: Any) -> Any:
            done.append(name)
            return sound(*arguments)

        monkeypatch.setattr(owner, name, called)

    noted(verification, "parse_compact")
    noted(token_cache.VerifiedAccessToken, "is_for")
    noted(made.cache._tokens, "move_to_end")
    for token in (seen, unseen):
        assert made.tokens.verify_at_once("acme", token, caller="shop") is None
    assert done == ["move_to_end", "is_for", "parse_compact"] * 2


def test_every_client_may_ask_about_a_token_of_an_open_realm() -> None:
    made = scene(client(), client("shop"), open_introspection=True)
    token = access_token(made, aud=API)
    for _ in range(2):
        assert made.tokens.verify_at_once("acme", token, caller="shop") is not None


def test_a_token_is_for_the_audiences_that_it_names(made: Scene) -> None:
    token = access_token(made, aud=[API, "other"])
    assert made.tokens.verify_at_once("acme", token, audience=API) is not None
    assert made.tokens.verify_at_once("acme", token, audience="other") is not None
    for other in (token, access_token(made, jti="2")):
        with pytest.raises(WrongAudienceError):
            made.tokens.verify_at_once("acme", other, audience="https://api")


def test_a_bound_token_is_said_to_be_bound(made: Scene) -> None:
    for cnf in ({"jkt": "x"}, {"another": "kind"}, "no object"):
        verified = made.tokens.verify_at_once("acme", access_token(made, cnf=cnf, jti=json.dumps(cnf)))
        assert verified is not None
        assert verified.is_bound
    verified = made.tokens.verify_at_once("acme", access_token(made))
    assert verified is not None
    assert not verified.is_bound


def test_the_oldest_of_too_many_is_forgotten(made: Scene, signatures: list[str]) -> None:
    tokens = [access_token(made, jti=str(number)) for number in range(CACHED + 1)]
    for token in tokens[:-1]:
        made.tokens.verify_at_once("acme", token)
    made.tokens.verify_at_once("acme", tokens[0])  # used again, so the second one is the oldest
    made.tokens.verify_at_once("acme", tokens[-1])
    assert len(made.cache) == CACHED
    signatures.clear()
    for token in (tokens[0], tokens[-1]):
        made.tokens.verify_at_once("acme", token)
    assert signatures == []
    made.tokens.verify_at_once("acme", tokens[1])
    assert len(signatures) == 1


def test_a_token_of_many_parts_counts_as_several(made: Scene) -> None:
    """Each part takes memory, however short it is."""
    small = [access_token(made, jti=str(number)) for number in range(CACHED)]
    for token in small:
        made.tokens.verify_at_once("acme", token)
    large = access_token(made, many=[0] * 40)
    made.tokens.verify_at_once("acme", large)
    assert list(made.cache._tokens) == [token_cache.digest_of(token) for token in (small[-1], large)]
    made.tokens.verify_at_once("acme", access_token(made, many=[0] * 40 * CACHED))
    assert len(made.cache) == 0, "it counts as more than there is room for"
    for _ in range(2):
        made.tokens.verify_at_once("acme", small[0])
    assert (len(made.cache), made.cache._weight) == (1, 1)


async def test_a_token_that_is_kept_again_counts_once(made: Scene) -> None:
    token = access_token(made)
    for _ in range(3):
        await made.tokens.verify("acme", token)
    assert (len(made.cache), made.cache._weight) == (1, 1)


def test_a_long_token_is_verified_every_time(made: Scene) -> None:
    token = access_token(made, padding="x" * MAX_CACHED_BYTES)
    for _ in range(2):
        assert made.tokens.verify_at_once("acme", token) is not None
    assert (len(made.cache), made.cache.hits) == (0, 0)


def test_without_capacity_every_token_is_verified_every_time(made: Scene, signatures: list[str]) -> None:
    made.cache._capacity = 0
    for _ in range(2):
        assert made.tokens.verify_at_once("acme", access_token(made)) is not None
    assert len(signatures) == 2


def test_claims_that_were_handed_out_may_be_changed(made: Scene) -> None:
    token = access_token(made, aud=["a", "b"])
    first = made.tokens.verify_at_once("acme", token)
    assert first is not None
    taken = first.own_claims()
    taken["aud"].append("c")
    taken["client_id"] = "admin"
    again = made.tokens.verify_at_once("acme", token)
    assert again is not None
    assert (again.claims["aud"], again.claims["client_id"]) == (["a", "b"], "worker")


def test_the_cache_holds_no_state_that_was_superseded(made: Scene) -> None:
    """A tenant may change a large realm again and again, and let a token be verified each time."""
    former: list[ref[RealmState | ClientState]] = []
    token: VerifiedAccessToken | None = None
    for jti in ("1", "2", "3"):
        token = made.tokens.verify_at_once("acme", access_token(made, jti=jti))
        former += [ref(made.realm), ref(made.clients["worker"])]
        made.change(client())
        made.realm.superseded = True
        made.realm = RealmState(made.realm.projection, RING, BASE_URL)
    assert len(made.cache) == 3
    assert [state() for state in former] == [None] * 6
    assert token is not None
    assert not token.is_current
    for held in ("realm", "client"):
        with pytest.raises(UnsettledError):
            getattr(token, held)


def test_a_token_that_is_not_kept_has_its_states(made: Scene) -> None:
    """Nothing else holds the states where each decision reads them anew."""
    made.cache._capacity = 0
    token = made.tokens.verify_at_once("acme", access_token(made))
    assert token is not None
    made.change(client())
    made.realm = RealmState(made.realm.projection, RING, BASE_URL)
    assert token.introspected()["client_id"] == "worker"


def test_the_cache_holds_no_token(made: Scene) -> None:
    token = access_token(made)
    made.tokens.verify_at_once("acme", token)
    assert list(made.cache._tokens) == [token_cache.digest_of(token)]
    assert token not in repr(vars(made.cache))


def _with_signature_of_another(made: Scene, **claims: Any) -> str:
    """Make a token under the realm's kid, signed with a key that is not the realm's."""
    return access_token(made, key=SigningKey.generate(kid="realm-key"), **claims)
