"""Assertions with a client's inline keys, keys behind its JWKS URL, or its secrets."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.last_used import name_of_key, name_of_secret
from keyturn_shared.fleet.replay import issuers_of
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import (
    AlgorithmNotAllowedError,
    BadSignatureError,
    ExpiredError,
    LifetimeTooLongError,
    MalformedError,
    MissingClaimError,
    UnknownKidError,
)
from keyturn_shared.jose.signing import header_segment
from keyturn_shared.oauth.client_authentication.assertions import (
    AssertionCheck,
    require_signing,
)
from keyturn_shared.oauth.client_authentication.claims import check_audience, require_assertion_type
from keyturn_shared.oauth.errors import (
    AuthenticatorMismatchError,
    KeyRevokedError,
    SharedSecretError,
    WrongAudienceError,
    WrongIssuerError,
)
from keyturn_shared.projection import ClientProjection
from tests.testkit.filled_redis import projected_secret
from tests.testkit.oauth_scene import (
    CAP,
    CLIENT_KEY,
    ISSUER,
    OTHER_KEY,
    SKEW,
    Scene,
    assertion,
    client,
    scene,
)
from tests.testkit.secret_signing import sign_with_secret

THUMBPRINT = CLIENT_KEY.verification_key.thumbprint
SECRET = "a secret that is long enough for HMAC with SHA-512, which is rather long!"
FORMER = "another secret that is long enough for HMAC with SHA-512, rather long too!"
URL = "https://client.example/jwks"


@pytest.fixture
def made() -> Scene:
    return scene(client())


async def check(made: Scene, token: str, projection: ClientProjection) -> str:
    return await made.assertions.check_signature(parse_compact(token), made.realm.projection, projection)


async def test_an_inline_key_is_named_by_its_thumbprint(made: Scene) -> None:
    assert await check(made, assertion(made), client()) == name_of_key(THUMBPRINT)


@pytest.mark.parametrize("jwks_url", [None, URL])
async def test_a_revoked_key_counts_wherever_it_comes_from_no_more(made: Scene, jwks_url: str | None) -> None:
    made.keys.behind_url = (CLIENT_KEY,)
    good = client(jwks_url=jwks_url)
    assert await check(made, assertion(made), good) == name_of_key(THUMBPRINT)
    with pytest.raises(KeyRevokedError):
        await check(made, assertion(made), replace(good, revoked_thumbprints=frozenset({THUMBPRINT})))


async def test_a_revoked_key_is_revoked_under_every_kid(made: Scene) -> None:
    """RFC 7638: the thumbprint is the key's, whatever it is called."""
    renamed = {"keys": [{**CLIENT_KEY.public_jwk, "kid": "renamed"}]}
    header = header_segment(CLIENT_KEY.algorithm, kid="renamed")
    token = CLIENT_KEY.sign_compact(header, dict(parse_compact(assertion(made)).claims))
    good = client(authenticator="client-jwt", jwks=renamed)
    assert await check(made, token, good) == name_of_key(THUMBPRINT)
    with pytest.raises(KeyRevokedError):
        await check(made, token, replace(good, revoked_thumbprints=frozenset({THUMBPRINT})))


async def test_a_key_under_a_kid_that_was_given_away_again_is_looked_for_once_more(made: Scene) -> None:
    made.keys.behind_url, made.keys.newer = (OTHER_KEY,), (CLIENT_KEY,)
    by_url = client(jwks_url=URL)
    assert await check(made, assertion(made), by_url) == name_of_key(THUMBPRINT)
    excluded = frozenset({OTHER_KEY.verification_key.thumbprint})
    alg = CLIENT_KEY.algorithm
    assert made.keys.asked == [
        ("acme", "client-key", alg, frozenset()),
        ("acme", "client-key", alg, excluded),
    ]
    with pytest.raises(KeyRevokedError):
        await check(made, assertion(made), replace(by_url, revoked_thumbprints=frozenset({THUMBPRINT})))


async def test_where_there_is_no_newer_key_the_signature_is_bad(made: Scene) -> None:
    made.keys.behind_url = (OTHER_KEY,)
    for newer in ((), (OTHER_KEY,)):
        made.keys.newer = newer
        with pytest.raises(BadSignatureError):
            await check(made, assertion(made), client(jwks_url=URL))


async def test_every_key_under_a_kid_is_tried(made: Scene) -> None:
    made.keys.behind_url = (OTHER_KEY, CLIENT_KEY)
    assert await check(made, assertion(made), client(jwks_url=URL)) == name_of_key(THUMBPRINT)
    assert len(made.keys.asked) == 1


async def test_inline_keys_are_all_there_are(made: Scene) -> None:
    with pytest.raises(BadSignatureError):
        await check(made, assertion(made), client(key=OTHER_KEY))
    assert len(made.keys.asked) == 1


async def test_only_the_algorithm_that_a_client_is_told_to_use_is_taken(made: Scene) -> None:
    await check(made, assertion(made), client(signing_alg=CLIENT_KEY.algorithm))
    for other in ("RS256", "HS256"):
        with pytest.raises(AlgorithmNotAllowedError):
            await check(made, assertion(made), client(signing_alg=other))


# -- client_secret_jwt


def of_secrets(*, not_after: float | None = None, sealed: bool = True, **changes: Any) -> ClientProjection:
    """Make a client with a newer secret, and a former one that expires."""
    uuid = "uuid-of-worker"
    secrets = (
        projected_secret(uuid, SECRET, sealed=sealed),
        projected_secret(uuid, FORMER, sealed=sealed, not_after=not_after),
    )
    return client(authenticator="client-secret-jwt", secrets=secrets, **changes)


def by_secret(made: Scene, secret: str, alg: str = "HS256") -> str:
    return sign_with_secret(secret, alg, dict(parse_compact(assertion(made)).claims))


async def test_either_secret_signs_until_it_has_expired(made: Scene) -> None:
    """RFC 7523 with a MAC: an expired secret does not count."""
    now = made.clock.time
    projection = of_secrets(not_after=now + 10)
    current, former = projection.secrets
    assert await check(made, by_secret(made, SECRET), projection) == name_of_secret(current.digest)
    assert await check(made, by_secret(made, FORMER), projection) == name_of_secret(former.digest)
    made.clock.time = now + 9.9
    await check(made, by_secret(made, FORMER), projection)
    made.clock.time = now + 10
    with pytest.raises(BadSignatureError):
        await check(made, by_secret(made, FORMER), projection)
    for secrets in ((current, former), (former, current)):
        await check(made, by_secret(made, SECRET), replace(projection, secrets=secrets))


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_any_symmetric_algorithm_is_taken_unless_one_is_given(made: Scene, alg: str) -> None:
    await check(made, by_secret(made, SECRET, alg), of_secrets())
    await check(made, by_secret(made, SECRET, alg), of_secrets(signing_alg=alg))
    with pytest.raises(AlgorithmNotAllowedError):
        await check(
            made, by_secret(made, SECRET, alg), of_secrets(signing_alg="HS256" if alg != "HS256" else "HS512")
        )


async def test_no_key_stands_for_a_secret_nor_a_secret_for_a_key(made: Scene) -> None:
    with pytest.raises(AlgorithmNotAllowedError):
        await check(made, assertion(made), of_secrets())
    with pytest.raises(AlgorithmNotAllowedError):
        await check(made, by_secret(made, SECRET), client())


async def test_a_wrong_secret_or_one_that_is_not_there_signs_nothing(made: Scene) -> None:
    for projection in (of_secrets(sealed=False), client(authenticator="client-secret-jwt")):
        with pytest.raises(BadSignatureError):
            await check(made, by_secret(made, SECRET), projection)
    with pytest.raises(BadSignatureError):
        await check(made, by_secret(made, SECRET + "?"), of_secrets())


async def test_where_only_public_material_is_held_no_secret_is_known(made: Scene) -> None:
    public = AssertionCheck(made.keys, None, made.used, made.clock, lifetime_cap=CAP, clock_skew=SKEW)
    with pytest.raises(SharedSecretError):
        await public.check_signature(
            parse_compact(by_secret(made, SECRET)), made.realm.projection, of_secrets()
        )


# -- claims


def claims(
    made: Scene, projection: ClientProjection | None = None, *, strict: bool = False, **stated: Any
) -> float:
    token = parse_compact(assertion(made, **stated))
    realm = replace(made.realm.projection, strict_assertion_lifetime=strict)
    return made.assertions.check_claims(token, realm, projection or client(), frozenset({ISSUER}))


def test_an_assertion_lasts_until_its_end_and_no_longer_than_the_cap(made: Scene) -> None:
    now = made.clock.time
    assert claims(made) == now + CAP + 1
    assert claims(made, exp=now + 5) == now + 5 + SKEW
    assert claims(made, exp=now + 600) == now + CAP + 1
    assert claims(made, client(max_assertion_lifetime=600), exp=now + 600) == now + 601
    assert claims(made, exp=now + CAP + SKEW, iat=None) == now + CAP + 2 * SKEW
    for refused in ({"exp": now + CAP + SKEW + 1, "iat": None}, {"exp": now + 600, "iat": now - CAP - 1}):
        with pytest.raises(LifetimeTooLongError):
            claims(made, **refused)
    with pytest.raises(LifetimeTooLongError):
        claims(made, client(max_assertion_lifetime=10), exp=now + 11, iat=now - 11)
    with pytest.raises(ExpiredError):
        claims(made, exp=now - SKEW)


def test_in_a_strict_realm_an_assertion_may_not_say_more_than_the_cap(made: Scene) -> None:
    now = made.clock.time
    assert claims(made, strict=True) == now + CAP + 1
    with pytest.raises(LifetimeTooLongError):
        claims(made, strict=True, exp=now + CAP + 1)
    assert claims(made, client(max_assertion_lifetime=600), strict=True, exp=now + 600) == now + 601


@pytest.mark.parametrize(
    ("stated", "refusal"),
    [
        ({"iss": "other"}, WrongIssuerError),
        ({"sub": "other"}, WrongIssuerError),
        ({"iss": None}, WrongIssuerError),
        ({"sub": None}, WrongIssuerError),
        ({"aud": "other"}, WrongAudienceError),
        ({"aud": None}, MissingClaimError),
        ({"typ": "dpop+jwt"}, MalformedError),
    ],
)
def test_an_assertion_with_one_thing_wrong_is_refused(
    made: Scene, stated: dict[str, Any], refusal: type[KeyturnError]
) -> None:
    with pytest.raises(refusal):
        claims(made, **stated)


@pytest.mark.parametrize("named", ["a", ["a"], ["a", "b"], ["b", "b"]])
def test_an_audience_is_one_of_those_accepted(named: object) -> None:
    check_audience({"aud": named}, frozenset({"a", "b"}))


@pytest.mark.parametrize("named", ["c", "ab", "", [], ["c"], ["a", "c"], ["c", "a"], [""]])
def test_an_audience_names_nobody_beside_those_accepted(named: object) -> None:
    """An array cannot circumvent this, whatever else it contains."""
    with pytest.raises(WrongAudienceError):
        check_audience({"aud": named}, frozenset({"a", "b"}))
    with pytest.raises(WrongAudienceError):
        check_audience({"aud": "a"}, frozenset())


@pytest.mark.parametrize("typ", ["JWT", "jwt", "client-authentication+jwt", "application/JWT"])
def test_assertions_are_of_these_types(made: Scene, typ: str) -> None:
    require_assertion_type(parse_compact(assertion(made, typ)))


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "JWT+x"])
def test_what_says_it_is_something_else_is_no_assertion(made: Scene, typ: str) -> None:
    with pytest.raises(MalformedError):
        require_assertion_type(parse_compact(assertion(made, typ)))


@pytest.mark.parametrize("authenticator", ["client-jwt", "client-secret-jwt"])
def test_clients_that_sign(authenticator: str) -> None:
    require_signing(client(authenticator=authenticator))


@pytest.mark.parametrize("authenticator", ["client-secret", "client-x509"])
def test_clients_that_do_not_sign(authenticator: str) -> None:
    with pytest.raises(AuthenticatorMismatchError):
        require_signing(client(authenticator=authenticator))


# -- single use


async def mark_used(made: Scene, refused_from: float, **stated: Any) -> None:
    token = parse_compact(assertion(made, **stated))
    changes = {"max_assertion_lifetime": stated["cap"]} if "cap" in stated else {}
    await made.assertions.mark_used(token.claims, made.realm.projection, client(**changes), refused_from)


async def test_a_use_is_remembered_until_the_assertion_would_be_refused_anyway(made: Scene) -> None:
    now = made.clock.time
    await mark_used(made, now + 75, exp=now + 30)
    [use] = made.used.uses
    assert (use.issuers, use.jti) == (issuers_of("acme", client()), "an-assertion")
    assert (use.remember_seconds, use.issued_at) == (75, now)


@pytest.mark.parametrize(("cap", "earliest"), [(None, CAP), (600, 600)])
async def test_without_iat_it_can_have_been_issued_since_its_end_came_within_the_cap(
    made: Scene, cap: int | None, earliest: int
) -> None:
    now = made.clock.time
    await mark_used(made, now + 1, iat=None, exp=now + 30, **({} if cap is None else {"cap": cap}))
    assert made.used.uses[0].issued_at == now + 30 - earliest - SKEW


@pytest.mark.parametrize("jti", [None, ""])
async def test_what_cannot_be_remembered_is_refused(made: Scene, jti: str | None) -> None:
    with pytest.raises(MissingClaimError):
        await mark_used(made, made.clock.time + 1, jti=jti)


async def test_an_unknown_kid_stays_unknown(made: Scene) -> None:
    with pytest.raises(UnknownKidError):
        await check(made, assertion(made), client(authenticator="client-jwt"))
