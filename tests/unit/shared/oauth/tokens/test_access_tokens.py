"""Contents of access tokens, and what clients may request in them."""

from typing import Any

import pytest

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.verify import verify_with_key_set
from keyturn_shared.oauth.claims.token_profile import profile_of
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import (
    InvalidScopeError,
    InvalidTargetError,
    UnauthorizedClientError,
    UnavailableError,
)
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.grant import Grant, decide_grant
from keyturn_shared.projection import ClientProjection
from tests.testkit.clocks import SetClock
from tests.testkit.filled_redis import RING, projected_key, realm_of
from tests.testkit.oauth_scene import BASE_URL, ISSUER, REALM_KEY, client, scene

NOTHING = Grant("", ())
CLOCK = SetClock(1_000_000.9)


def issuer() -> AccessTokenIssuer:
    return AccessTokenIssuer(CLOCK, random=bytes)


def issue(of: ClientProjection, grant: Grant = NOTHING, cnf: Any = None, **realm: Any) -> Any:
    """Issue a token; return the answer, with the token's header and claims."""
    state = scene(of, **realm).realm
    answer = issuer().issue(state, of, grant, cnf)
    token = parse_compact(answer.token)
    assert state.keys.candidates(token.header.kid, token.header.algorithm)
    return answer, token.header.typ, dict(token.claims)


def test_a_token_names_its_client_and_its_realm() -> None:
    answer, typ, claims = issue(client())
    assert claims == {
        "iss": ISSUER,
        "sub": "worker",
        "aud": ISSUER,
        "exp": 1_000_300,
        "iat": 1_000_000,
        "jti": "A" * 22,
        "client_id": "worker",
        "azp": "worker",
        "client_uuid": "uuid-of-worker",
        "typ": "Bearer",
        "acr": "1",
        "preferred_username": "service-account-worker",
        "scope": "",
    }
    assert typ == "at+jwt"
    assert (answer.expires_in, answer.scope, answer.token_type) == (300, "", "Bearer")
    assert answer.not_before_policy == 0


def test_a_token_is_of_the_service_account_of_its_client() -> None:
    """It is named like in Keycloak: by an id, and by a name in lower case."""
    _, _, claims = issue(client("Worker", subject="4b5a"))
    assert (claims["sub"], claims["preferred_username"]) == ("4b5a", "service-account-worker")
    assert (claims["client_id"], claims["azp"]) == ("Worker", "Worker")


@pytest.mark.parametrize(
    ("of_realm", "of_client", "typ"),
    [
        (False, None, "at+jwt"),
        (True, None, "JWT"),
        (True, False, "at+jwt"),
        (False, True, "JWT"),
    ],
)
def test_the_type_is_the_clients_own_or_the_realms(of_realm: bool, of_client: bool | None, typ: str) -> None:
    assert issue(client(plain_token_type=of_client), plain_token_type=of_realm)[1] == typ


def test_a_token_says_what_was_granted_and_how_often_tokens_were_ended() -> None:
    answer, typ, claims = issue(
        client(plain_token_type=True, access_token_lifespan=60, token_generation=2, not_before=7),
        Grant("read write", ("a", "b")),
        token_generation=3,
        access_token_lifespan=90,
        not_before=5,
    )
    assert (claims["scope"], claims["aud"], claims["generation"]) == ("read write", ["a", "b"], 5)
    assert (claims["exp"], typ) == (1_000_060, "JWT")
    assert (answer.scope, answer.expires_in, answer.not_before_policy) == ("read write", 60, 7)
    assert issue(client(), Grant("", ("a",)))[2]["aud"] == "a"
    assert issue(client(), access_token_lifespan=90)[0].expires_in == 90


@pytest.mark.parametrize(
    ("cnf", "how"), [({"jkt": "k"}, "DPoP"), ({"x5t#S256": "c"}, "Bearer"), ({}, "Bearer")]
)
def test_a_token_is_brought_as_it_is_bound(cnf: dict[str, str], how: str) -> None:
    answer, _, claims = issue(client(), cnf=cnf)
    assert (answer.token_type, claims["typ"], claims.get("cnf", {})) == (how, how, cnf)


def test_a_client_that_wants_one_algorithm_gets_no_token_by_another() -> None:
    issue(client(access_token_alg=REALM_KEY.algorithm))
    with pytest.raises(UnauthorizedClientError):
        issue(client(access_token_alg="RS512"))


def test_no_token_is_longer_than_verifiers_read() -> None:
    """Roles, scopes and audiences are bounded one by one when they are written, and not together."""
    roles = {"realm_access": {"roles": ["r" * 255] * 40}}
    assert issue(client(), Grant("", (), roles))
    with pytest.raises(InvalidScopeError, match="verifiers read at most 16384"):
        issue(client(), Grant("s" * 2500, (), roles))


def test_each_client_gets_its_tokens_signed_with_the_algorithm_that_it_wants() -> None:
    other = SigningKey.generate("EdDSA", kid="other")
    keys = (projected_key(REALM_KEY), projected_key(other))
    for wanted, kid in ((None, REALM_KEY.kid), ("ES256", REALM_KEY.kid), ("EdDSA", "other")):
        of = client(access_token_alg=wanted)
        state = RealmState(realm_of("acme", signing_keys=keys), RING, BASE_URL)
        token = parse_compact(issuer().issue(state, of, NOTHING).token)
        assert token.header.kid == kid
        verify_with_key_set(token, state.keys)


def test_without_an_active_key_nothing_is_issued() -> None:
    retiring = realm_of("acme", signing_keys=(projected_key(REALM_KEY, "retiring"),))
    with pytest.raises(UnavailableError):
        issuer().issue(RealmState(retiring, RING, BASE_URL), client(), NOTHING)


ASKING = profile_of(
    realm_of("acme", silent_scopes=frozenset({"acr", "roles"})),
    client(scopes=("write", "admin", "roles"), default_scopes=("acr", "basic", "read"), audiences=("a", "b")),
)


@pytest.mark.parametrize(
    ("scope", "targets", "granted"),
    [
        (None, (), Grant("basic read", ("a", "b"))),
        ("", (), Grant("basic read", ("a", "b"))),
        ("write", (), Grant("basic read write", ("a", "b"))),
        ("write  read admin write", (), Grant("basic read write admin", ("a", "b"))),
        ("basic", (), Grant("basic read", ("a", "b"))),
        ("acr roles", (), Grant("basic read", ("a", "b"))),
        ("openid", (), Grant("basic read", ("a", "b"))),
        ("openid write", (), Grant("basic read write", ("a", "b"))),
        (None, ("b",), Grant("basic read", ("b",))),
        ("read", ("b", "a", "b"), Grant("basic read", ("b", "a"))),
    ],
)
def test_a_client_gets_its_default_scopes_and_what_it_asks_for_and_may_have(
    scope: str | None, targets: tuple[str, ...], granted: Grant
) -> None:
    assert decide_grant(ASKING, scope, targets) == granted


@pytest.mark.parametrize(
    ("scope", "targets", "refusal"),
    [
        ("other", (), InvalidScopeError),
        ("read other", (), InvalidScopeError),
        ("READ", (), InvalidScopeError),
        (None, ("c",), InvalidTargetError),
        (None, ("a", "c"), InvalidTargetError),
        ("read", ("",), InvalidTargetError),
    ],
)
def test_a_client_gets_nothing_that_it_may_not_have(
    scope: str | None, targets: tuple[str, ...], refusal: type[KeyturnError]
) -> None:
    with pytest.raises(refusal):
        decide_grant(ASKING, scope, targets)


@pytest.mark.parametrize("scope", ["read\twrite", "read\nwrite", "read\u00a0write"])
def test_names_of_scopes_are_separated_by_spaces_and_nothing_else(scope: str) -> None:
    """RFC 6749 section 3.3."""
    allowed = profile_of(realm_of("acme"), client(scopes=("read", "write")))
    assert decide_grant(allowed, "read write", ()).scope == "read write"
    with pytest.raises(InvalidScopeError):
        decide_grant(allowed, scope, ())


def test_a_client_without_lists_has_the_scopes_of_its_realm() -> None:
    realm = realm_of("acme", default_scopes=("a", "acr"), optional_scopes=("b",), silent_scopes={"acr"})
    inheriting = profile_of(realm, client())
    assert decide_grant(inheriting, None, ()) == Grant("a", ())
    assert decide_grant(inheriting, "b", ()) == Grant("a b", ())
    without_any = profile_of(realm, client(scopes=(), default_scopes=()))
    assert decide_grant(without_any, None, ()) == Grant("", ())
    with pytest.raises(InvalidScopeError):
        decide_grant(without_any, "b", ())


def test_a_client_that_is_allowed_no_audience_is_not_refused_for_naming_one() -> None:
    """Keycloak ignores the parameters too."""
    assert decide_grant(profile_of(realm_of("acme"), client()), None, ("a",)) == Grant("", ())


def test_what_tokens_contain_is_put_together_once_as_long_as_nothing_changes() -> None:
    of = client(default_scopes=("a",))
    state = scene(of).realm
    profile = state.profile(of)
    assert state.profile(of) is profile
    assert state.profile(client(default_scopes=("b",))).scope == "b"
    assert state.profile(of).scope == "a"
