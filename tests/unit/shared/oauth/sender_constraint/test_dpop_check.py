"""DPoP proofs are for one request and accepted once (RFC 9449 section 4.3), as tables."""

from typing import Any

import pytest

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate, read_client_certificate
from keyturn_shared.oauth.errors import (
    InvalidDpopProofError,
    InvalidRequestError,
    KeyRevokedError,
    PossessionError,
    UseDpopNonceError,
)
from keyturn_shared.oauth.sender_constraint.binding import TokenBinding
from keyturn_shared.oauth.sender_constraint.confirmation import require_unbound
from keyturn_shared.oauth.sender_constraint.dpop import (
    LIFETIME_SECONDS,
    DpopCheck,
    DpopProof,
    read_dpop_proof,
)
from keyturn_shared.oauth.sender_constraint.nonces import PERIOD_SECONDS, Nonces
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck, PresentedToken
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing
from tests.testkit.certificates import issue
from tests.testkit.clocks import SetClock
from tests.testkit.dpop import hashed, proof
from tests.testkit.filled_redis import RING
from tests.testkit.oauth_scene import Used, client, scene

KEY = SigningKey.generate()
JKT = KEY.verification_key.thumbprint
URL = "https://api.example/things"
TOKEN_URL = "https://id.example/realms/acme/protocol/openid-connect/token"
TOKEN = "an.access.token"
SKEW = 15.0
CERTIFICATE = read_client_certificate(issue(None).der)
OTHER_CERTIFICATE = read_client_certificate(issue(None).der)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def used() -> Used:
    return Used()


@pytest.fixture
def check(clock: SetClock, used: Used) -> DpopCheck:
    return DpopCheck(used, clock, clock_skew=SKEW)


def made(
    clock: SetClock, method: str = "GET", url: str = URL, token: str | None = None, **claims: Any
) -> DpopProof:
    return read_dpop_proof(proof(KEY, method, url, token, **{"iat": clock.time, **claims}))


def test_a_proof_is_for_its_method_its_url_and_its_token(clock: SetClock, check: DpopCheck) -> None:
    check.check(made(clock), method="GET", urls=[URL])
    check.check(made(clock), method="GET", urls=iter(["https://other.example/", URL + "?query"]))
    check.check(made(clock, token=TOKEN), method="GET", urls=[URL], access_token=TOKEN)
    check.check(made(clock, token=TOKEN), method="GET", urls=[URL])


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "POST"},  # valid for another method
        {"htm": "get"},
        {"htm": None},
        {"htu": "https://api.example/other"},
        {"htu": "https://other.example/things"},
        {"htu": "http://api.example/things"},
        {"htu": "/things"},
        {"htu": None},
        {"htu": 7},
        {"htu": [URL]},
        {"jti": None},
        {"jti": ""},
        {"iat": None},
        {"ath": None},
        {"ath": hashed("another.access.token")},
        {"ath": TOKEN},
    ],
)
def test_a_proof_for_anything_else_is_refused(
    clock: SetClock, check: DpopCheck, claims: dict[str, Any]
) -> None:
    with pytest.raises(InvalidDpopProofError):
        check.check(made(clock, token=TOKEN, **claims), method="GET", urls=[URL], access_token=TOKEN)


def test_what_is_no_url_is_not_equal_to_another_that_is_none(clock: SetClock, check: DpopCheck) -> None:
    with pytest.raises(InvalidDpopProofError):
        check.check(made(clock, url="/things"), method="GET", urls=["/things"])
    with pytest.raises(InvalidDpopProofError):
        check.check(made(clock), method="GET", urls=[])


def test_a_proof_is_good_for_a_minute_and_the_skew(clock: SetClock, check: DpopCheck) -> None:
    shown, begun = made(clock), clock.time
    for good in (-SKEW, 0, LIFETIME_SECONDS + SKEW - 0.1):
        clock.time = begun + good
        check.check(shown, method="GET", urls=[URL])
    for bad in (-SKEW - 0.1, LIFETIME_SECONDS + SKEW):
        clock.time = begun + bad
        with pytest.raises(InvalidDpopProofError):
            check.check(shown, method="GET", urls=[URL])


async def test_a_proof_is_used_once_and_remembered_for_as_long_as_it_is_good(
    clock: SetClock, check: DpopCheck, used: Used
) -> None:
    shown = made(clock, jti="once")
    clock.time += 10
    for _ in range(2):  # by this very request, perhaps decided again
        await check.mark_used(shown)
    assert shown.claimed is True
    [use] = used.uses
    assert (use.issuers, use.jti) == ((f"dpop:{JKT}",), "once")
    assert (use.remember_seconds, use.issued_at) == (LIFETIME_SECONDS + SKEW - 10, clock.time - 10)
    again = made(clock, jti="once")
    with pytest.raises(InvalidDpopProofError):
        await check.mark_used(again)
    assert again.claimed is False


# -- requirements of a presented token


def brought(
    clock: SetClock,
    *,
    by_dpop: bool = False,
    proof_text: str | None = None,
    certificate: ClientCertificate | None = None,
) -> PresentedToken:
    return PresentedToken(TOKEN, by_dpop, proof_text, lambda: certificate, "GET")


def proof_text(clock: SetClock, key: SigningKey = KEY, method: str = "GET", token: str = TOKEN) -> str:
    return proof(key, method, URL, token, iat=clock.time)


BOUND_TO_KEY = {"cnf": {"jkt": JKT}}
BOUND_TO_CERTIFICATE = {"cnf": {"x5t#S256": CERTIFICATE.thumbprint}}
BOUND_TO_BOTH = {"cnf": BOUND_TO_KEY["cnf"] | BOUND_TO_CERTIFICATE["cnf"]}


async def test_who_shows_all_that_a_token_is_bound_to_may_use_it(clock: SetClock, check: DpopCheck) -> None:
    possession = PossessionCheck(check)
    await possession.require({}, brought(clock), [URL])
    await possession.require(BOUND_TO_CERTIFICATE, brought(clock, certificate=CERTIFICATE), [URL])
    for claims in (BOUND_TO_KEY, BOUND_TO_BOTH):
        shown = brought(clock, by_dpop=True, proof_text=proof_text(clock), certificate=CERTIFICATE)
        await possession.require(claims, shown, [URL])


async def test_a_proof_that_came_with_a_token_is_used_up(
    clock: SetClock, check: DpopCheck, used: Used
) -> None:
    possession, text = PossessionCheck(check), proof_text(clock)
    shown = brought(clock, by_dpop=True, proof_text=text)
    for _ in range(2):
        await possession.require(BOUND_TO_KEY, shown, [URL])
    assert len(used.uses) == 1
    with pytest.raises(InvalidDpopProofError):
        await possession.require(BOUND_TO_KEY, brought(clock, by_dpop=True, proof_text=text), [URL])


@pytest.mark.parametrize(
    ("claims", "shown", "refusal"),
    [
        ({}, {"by_dpop": True}, PossessionError),
        (BOUND_TO_CERTIFICATE, {}, PossessionError),
        (BOUND_TO_CERTIFICATE, {"certificate": OTHER_CERTIFICATE}, PossessionError),
        (BOUND_TO_CERTIFICATE, {"certificate": CERTIFICATE, "by_dpop": True}, PossessionError),
        (BOUND_TO_KEY, {}, PossessionError),
        (BOUND_TO_KEY, {"proof": {}}, PossessionError),  # RFC 9449 section 7.2: as a bearer token
        (BOUND_TO_KEY, {"by_dpop": True}, InvalidDpopProofError),
        (BOUND_TO_KEY, {"by_dpop": True, "proof": {"key": SigningKey.generate()}}, PossessionError),
        (BOUND_TO_KEY, {"by_dpop": True, "proof": {"method": "POST"}}, InvalidDpopProofError),
        (BOUND_TO_KEY, {"by_dpop": True, "proof": {"token": "another"}}, InvalidDpopProofError),
        (BOUND_TO_BOTH, {"by_dpop": True, "proof": {}}, PossessionError),
        (BOUND_TO_BOTH, {"certificate": CERTIFICATE}, PossessionError),
        ({"cnf": {}}, {}, PossessionError),
        ({"cnf": {"jkt": JKT, "kid": "x"}}, {"by_dpop": True, "proof": {}}, PossessionError),
    ],
)
async def test_who_shows_less_may_not(
    clock: SetClock,
    check: DpopCheck,
    used: Used,
    claims: dict[str, Any],
    shown: dict[str, Any],
    refusal: type[KeyturnError],
) -> None:
    shown = dict(shown)
    text = proof_text(clock, **shown.pop("proof")) if "proof" in shown else None
    with pytest.raises(refusal):
        await PossessionCheck(check).require(claims, brought(clock, proof_text=text, **shown), [URL])
    assert used.uses == []


def test_a_token_that_is_bound_is_no_bearer_token() -> None:
    require_unbound({})
    for claims in (BOUND_TO_KEY, BOUND_TO_CERTIFICATE):
        with pytest.raises(PossessionError):
            require_unbound(claims)


# -- binding of an issued token


async def test_a_token_is_bound_to_what_was_shown_and_has_to_be(
    clock: SetClock, check: DpopCheck, used: Used
) -> None:
    realm, binding = scene().realm, TokenBinding(check)

    def at_token_endpoint() -> DpopProof:
        return made(clock, "POST", TOKEN_URL)

    assert await binding.bind(realm, client(), None, None) == {}
    assert await binding.bind(realm, client(), None, CERTIFICATE) == {}  # a proxy may terminate TLS
    certified = client(mtls_bound_tokens=True)
    assert await binding.bind(realm, certified, None, CERTIFICATE) == {"x5t#S256": CERTIFICATE.thumbprint}
    for dpop in (client(), client(dpop_bound_tokens=True)):
        assert await binding.bind(realm, dpop, at_token_endpoint(), None) == {"jkt": JKT}
    both = client(mtls_bound_tokens=True, dpop_bound_tokens=True)
    confirmation = await binding.bind(realm, both, at_token_endpoint(), CERTIFICATE)
    assert confirmation == {"x5t#S256": CERTIFICATE.thumbprint, "jkt": JKT}
    assert len(used.uses) == 3


async def test_a_token_that_has_to_be_bound_is_not_issued_unbound(clock: SetClock, check: DpopCheck) -> None:
    realm, binding = scene().realm, TokenBinding(check)
    with pytest.raises(InvalidRequestError):
        await binding.bind(realm, client(mtls_bound_tokens=True), None, None)
    with pytest.raises(InvalidDpopProofError):
        await binding.bind(realm, client(dpop_bound_tokens=True), None, CERTIFICATE)
    for elsewhere in (made(clock, "GET", TOKEN_URL), made(clock, "POST", URL)):
        with pytest.raises(InvalidDpopProofError):
            await binding.bind(realm, client(), elsewhere, None)
    revoked = client(mtls_bound_tokens=True, revoked_thumbprints=frozenset({CERTIFICATE.key.thumbprint}))
    with pytest.raises(KeyRevokedError):
        await binding.bind(realm, revoked, None, CERTIFICATE)


# -- nonces


def test_a_nonce_is_good_in_its_period_and_the_next(clock: SetClock, check: DpopCheck) -> None:
    clock.time = 10.0 * PERIOD_SECONDS
    nonces = Nonces(RING, clock)
    with pytest.raises(UseDpopNonceError) as refused:
        nonces.require(made(clock), "a")
    nonce = refused.value.nonce
    begun = clock.time
    for good in (0, PERIOD_SECONDS - 0.1, PERIOD_SECONDS, 2 * PERIOD_SECONDS - 0.1):
        clock.time = begun + good
        nonces.require(made(clock, nonce=nonce), "a")
    for bad in (2 * PERIOD_SECONDS, -0.1):
        clock.time = begun + bad
        with pytest.raises(UseDpopNonceError):
            nonces.require(made(clock, nonce=nonce), "a")
    clock.time = begun
    for wrong in ("", "x", 7, nonce + "x", [nonce]):
        with pytest.raises(UseDpopNonceError):
            nonces.require(made(clock, nonce=wrong), "a")


def test_a_nonce_is_of_one_realm_where_realms_have_keys_of_their_own(clock: SetClock) -> None:
    nonces = Nonces(FleetRing.read(KeyRing.generate_key(), by_realm=True), clock)
    with pytest.raises(UseDpopNonceError) as refused:
        nonces.require(made(clock), "a")
    nonces.require(made(clock, nonce=refused.value.nonce), "a")
    with pytest.raises(UseDpopNonceError):
        nonces.require(made(clock, nonce=refused.value.nonce), "b")


def test_proofs_need_a_nonce_where_nonces_are_used(clock: SetClock, check: DpopCheck) -> None:
    realm = scene().realm
    TokenBinding(check).require_nonce(realm, made(clock))
    with pytest.raises(UseDpopNonceError):
        TokenBinding(check, Nonces(RING, clock)).require_nonce(realm, made(clock))


@pytest.mark.parametrize("token", ["caf\u00e9", "\ud800"])
def test_a_token_that_is_not_ascii_has_no_proof(clock: SetClock, check: DpopCheck, token: str) -> None:
    """Headers may hold such octets; RFC 9449 section 4.3 hashes the ASCII encoding."""
    for ath in (hashed("an.access.token"), hashed("caf\u00e9")):
        with pytest.raises(InvalidDpopProofError, match="ath"):
            check.check(made(clock, ath=ath), method="GET", urls=[URL], access_token=token)
