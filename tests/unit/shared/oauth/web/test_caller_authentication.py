"""Callers that ask about a token: a client with credentials, or with its own access token and proof of
possession."""

import base64
from dataclasses import dataclass
from typing import Any
from weakref import ref

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.errors import BadSignatureError
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.oauth.certificates.client_certificate import read_client_certificate
from keyturn_shared.oauth.certificates.headers import CertificateHeader
from keyturn_shared.oauth.client_authentication.secret_cache import SecretCache
from keyturn_shared.oauth.errors import (
    FencedError,
    InvalidDpopProofError,
    InvalidRequestError,
    MissingCredentialsError,
    PossessionError,
    SecretExpiredError,
    TooManyFailuresError,
    UnknownRealmError,
    WrongSecretError,
)
from keyturn_shared.oauth.metrics import AnswerMetrics, ThrottleMetrics
from keyturn_shared.oauth.sender_constraint.dpop import DpopCheck
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck
from keyturn_shared.oauth.throttling.throttle import FailureLimits, Throttle
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.caller_authentication import Callers
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.known_callers import KnownCallers
from keyturn_shared.oauth.web.messages import Request
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog
from tests.testkit.certificates import issue
from tests.testkit.dpop import proof
from tests.testkit.filled_redis import projected_secret
from tests.testkit.oauth_scene import BASE_URL, Scene, access_token, client, scene

SECRET = "a-secret-that-is-long-enough"
URL = f"{BASE_URL}/realms/acme/protocol/openid-connect/token/introspect"
KEY = SigningKey.generate()


@dataclass
class Asked:
    """A realm with one client by secret, and those who ask about tokens there."""

    scene: Scene
    registry: CollectorRegistry
    callers: Callers
    cache: SecretCache | None

    def count(self, method: str, outcome: str) -> float:
        labels = {"method": method, "outcome": outcome}
        return self.registry.get_sample_value("keyturn_authentications_total", labels) or 0.0

    async def by(
        self,
        authorization: str | None = None,
        parameters: dict[str, str] | None = None,
        *,
        headers: dict[bytes, str] | None = None,
        realm: str = "acme",
        certificate: bytes | None = None,
        method: str = "POST",
    ) -> str:
        sent = [(name, text.encode("latin-1")) for name, text in (headers or {}).items()]
        if authorization is not None:
            sent.append((b"authorization", authorization.encode()))
        request = Request(method, "/", realm, b"", sent, b"", "192.0.2.1", certificate)
        return await self.callers.require(request, parameters or {}, lambda urls: urls.introspection)


def asked(*, limit: int = 100, cached: int = 0, **members: Any) -> Asked:
    made = scene(client(**{"authenticator": "client-secret", "secret": SECRET, **members}))
    registry = CollectorRegistry()
    throttle = Throttle(FailureLimits(per_client=limit), None, ThrottleMetrics(registry), made.clock.elapsed)
    log = AuthenticationLog(AnswerMetrics(registry), throttle, CallerAddress(TrustedProxies(())))
    cache = SecretCache(made.clock.now, cached) if cached else None
    callers = Callers(
        made,
        made.authenticator,
        made.tokens,
        CertificateSource(CertificateHeader()),
        PossessionCheck(DpopCheck(made.used, made.clock, clock_skew=20.0)),
        log,
        None if cache is None else KnownCallers(made, made.authenticator, log, cache),
    )
    return Asked(made, registry, callers, cache)


def basic(secret: str = SECRET, client_id: str = "worker") -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


async def test_a_client_is_named_by_its_credentials() -> None:
    made = asked()
    assert await made.by(basic()) == "worker"
    assert await made.by(None, {"client_id": "worker", "client_secret": SECRET}) == "worker"
    assert made.count("client_secret_basic", "accepted") == 1
    assert made.count("client_secret_post", "accepted") == 1


async def test_a_wrong_secret_is_refused_and_counted() -> None:
    made = asked(limit=2)
    for _ in range(2):
        with pytest.raises(WrongSecretError):
            await made.by(basic("another"))
    assert made.count("client_secret_basic", "wrong_secret") == 2
    with pytest.raises(TooManyFailuresError):
        await made.by(basic())


async def test_of_guesses_made_together_the_last_ones_learn_nothing() -> None:
    """Another request of the caller may have failed while this one was checked."""
    made = asked(limit=1)
    authenticator = made.callers._authenticator

    class Slow:
        async def authenticate(self, *arguments: Any) -> Any:
            found = await authenticator.authenticate(*arguments)
            with pytest.raises(WrongSecretError):
                await asked_again()
            return found

    async def asked_again() -> None:
        made.callers._authenticator = authenticator
        await made.by(basic("another"))

    made.callers._authenticator = Slow()  # type: ignore[assignment]  # the one method that is asked for
    with pytest.raises(TooManyFailuresError):
        await made.by(basic())
    assert made.count("client_secret_basic", "accepted") == 0


async def test_a_client_is_named_by_its_certificate() -> None:
    own = issue(None)
    members: dict[str, Any] = {"x509_self_signed": True, "jwks": {"keys": [own.public_jwk]}}
    made = asked(authenticator="client-x509", **members)
    made.scene.clock.time = own.certificate.not_valid_before_utc.timestamp() + 1
    assert await made.by(None, {"client_id": "worker"}, certificate=own.der) == "worker"
    with pytest.raises(MissingCredentialsError):
        await made.by(None, {"client_id": "worker"})


async def test_for_a_caller_that_failed_too_often_no_credential_is_looked_at() -> None:
    made = asked(limit=1)
    with pytest.raises(WrongSecretError):
        await made.by(basic("another"))
    made.callers._authenticator = None  # type: ignore[assignment] # nobody may ask it
    with pytest.raises(TooManyFailuresError):
        await made.by(basic())


async def test_a_realm_that_is_not_there_is_unknown() -> None:
    with pytest.raises(UnknownRealmError):
        await asked().by(basic(), realm="elsewhere")


@pytest.mark.parametrize(
    ("authorization", "parameters", "error"),
    [
        (None, {}, MissingCredentialsError),
        (None, {"client_id": "worker"}, MissingCredentialsError),
        ("Negotiate abc", {}, MissingCredentialsError),
        (basic(), {"client_secret": SECRET}, InvalidRequestError),
    ],
)
async def test_without_exactly_one_method_nobody_is_known(
    authorization: str | None, parameters: dict[str, str], error: type[KeyturnError]
) -> None:
    made = asked()
    with pytest.raises(error):
        await made.by(authorization, parameters)
    assert made.count("none", error.code) == 1


async def test_a_client_is_named_by_an_access_token_of_its_own() -> None:
    made = asked()
    token = access_token(made.scene)
    assert await made.by(f"Bearer {token}") == "worker"
    assert await made.by(f"bearer  {token} ") == "worker"
    with pytest.raises(BadSignatureError):
        await made.by(f"Bearer {token[:-8]}AAAAAAAA")


@pytest.mark.parametrize("name", ["client_secret", "client_assertion"])
async def test_a_token_beside_credentials_is_refused(name: str) -> None:
    made = asked()
    with pytest.raises(InvalidRequestError, match="more than one method"):
        await made.by(f"Bearer {access_token(made.scene)}", {name: "x", "client_id": "worker"})


async def test_a_caller_that_failed_too_often_is_not_heard_with_a_token_either() -> None:
    made = asked()
    made.callers._log._throttle._limits = FailureLimits(per_address=1)
    with pytest.raises(WrongSecretError):
        await made.by(basic("another"))
    with pytest.raises(TooManyFailuresError):
        await made.by(f"Bearer {access_token(made.scene)}")


async def test_a_token_that_is_bound_to_a_certificate_needs_it() -> None:
    made, own = asked(), issue(None).der
    bound: dict[str, Any] = {"cnf": {"x5t#S256": read_client_certificate(own).thumbprint}}
    token = access_token(made.scene, **bound)
    assert await made.by(f"Bearer {token}", certificate=own) == "worker"
    for other in (None, issue(None).der):
        with pytest.raises(PossessionError):
            await made.by(f"Bearer {token}", certificate=other)


async def test_a_token_that_is_bound_to_a_key_needs_a_proof_for_this_endpoint() -> None:
    made = asked()
    token = access_token(made.scene, cnf={"jkt": KEY.verification_key.thumbprint})

    def shown(url: str = URL, method: str = "POST", jti: str = "1") -> dict[bytes, str]:
        return {b"dpop": proof(KEY, method, url, token, iat=made.scene.clock.time, jti=jti)}

    assert await made.by(f"DPoP {token}", headers=shown()) == "worker"
    with pytest.raises(InvalidDpopProofError, match="used before"):
        await made.by(f"DPoP {token}", headers=shown())
    for other in (shown(f"{BASE_URL}/realms/acme/verify", jti="2"), shown(method="GET", jti="3"), {}):
        with pytest.raises(InvalidDpopProofError):
            await made.by(f"DPoP {token}", headers=other)
    with pytest.raises(PossessionError):
        await made.by(f"Bearer {token}", headers=shown(jti="4"))


# -- callers that were authenticated before


def caching(**members: Any) -> Asked:
    return asked(cached=2, **members)


def cache_of(made: Asked) -> SecretCache:
    assert made.cache is not None
    return made.cache


class Counted:
    """An authenticator that counts."""

    def __init__(self, made: Asked) -> None:
        self.asked = 0
        self._sound = made.callers._authenticator
        made.callers._authenticator = self  # type: ignore[assignment]  # the one method that is asked for

    async def authenticate(self, *arguments: Any) -> Any:
        self.asked += 1
        return await self._sound.authenticate(*arguments)


async def test_a_secret_is_compared_once_and_every_use_is_counted() -> None:
    made = caching()
    counted = Counted(made)
    for _ in range(3):
        assert await made.by(basic()) == "worker"
    assert counted.asked == 1
    assert made.count("client_secret_basic", "accepted") == 3
    assert len(made.scene.noted) == 3
    assert len(set(made.scene.noted)) == 1


async def test_an_event_about_the_client_or_realm_ends_a_known_caller() -> None:
    made = caching()
    await made.by(basic())
    made.scene.change(client(authenticator="client-secret", secret="a-new-secret-for-this-client"))
    with pytest.raises(WrongSecretError):
        await made.by(basic())
    assert await made.by(basic("a-new-secret-for-this-client")) == "worker"
    counted = Counted(made)
    made.scene.realm.superseded = True
    assert await made.by(basic("a-new-secret-for-this-client")) == "worker"
    assert counted.asked == 1


async def test_nobody_is_known_by_a_secret_that_was_compared_before_the_client_changed() -> None:
    """The event may come after the client was read and before the authentication is kept."""
    made = caching()
    made.scene.decisions = 2  # the first one has read what has changed
    sound = made.callers._authenticator

    class Overtaken:
        async def authenticate(self, *arguments: Any) -> Any:
            made.callers._authenticator = sound
            found = await sound.authenticate(*arguments)
            made.scene.change(client(authenticator="client-secret", secret="a-new-secret-for-this-client"))
            return found

    made.callers._authenticator = Overtaken()  # type: ignore[assignment]  # the one method that is asked for
    for _ in range(2):
        with pytest.raises(WrongSecretError):
            await made.by(basic())


async def test_a_known_caller_is_refused_when_its_secret_expires() -> None:
    made = asked()
    end = made.scene.clock.time + 10
    secret = projected_secret("uuid-of-worker", SECRET, not_after=end)
    made = caching(secret=None, secrets=(secret,))
    assert await made.by(basic()) == "worker"
    made.scene.clock.time = end
    with pytest.raises(SecretExpiredError):
        await made.by(basic())


async def test_a_wrong_secret_is_none_that_was_right_before() -> None:
    made = caching()
    await made.by(basic())
    counted = Counted(made)
    for wrong in (basic("another"), basic(client_id="other"), basic().lower()):
        with pytest.raises(KeyturnError):
            await made.by(wrong)
    with pytest.raises(UnknownRealmError):
        await made.by(basic(), realm="other")
    assert counted.asked > 0


@pytest.mark.parametrize(
    "parameters",
    [{"client_secret": SECRET}, {"client_assertion": "x"}, {"client_id": "other"}],
)
async def test_a_known_caller_sends_no_other_credentials(parameters: dict[str, str]) -> None:
    made = caching()
    await made.by(basic(), {"client_id": "worker"})
    with pytest.raises(InvalidRequestError):
        await made.by(basic(), parameters)


async def test_a_known_caller_is_refused_for_its_failures_like_any_other() -> None:
    made = caching(limit=1)
    await made.by(basic())
    with pytest.raises(WrongSecretError):
        await made.by(basic("another"))
    with pytest.raises(TooManyFailuresError):
        await made.by(basic())


async def test_a_caller_is_known_only_with_a_lease() -> None:
    made = caching()
    await made.by(basic())
    made.scene.fenced = True
    with pytest.raises(FencedError):
        await made.by(basic())


async def test_only_so_many_callers_are_known() -> None:
    made = caching()
    cache = cache_of(made)
    for spaces in range(1, 5):  # several headers mean the same
        await made.by(basic().replace(" ", " " * spaces))
    assert len(cache._clients) == 2


async def test_the_cache_of_callers_holds_no_state_that_was_superseded() -> None:
    made = caching()
    await made.by(basic())
    former = ref(made.scene.clients["worker"])
    made.scene.change(client(authenticator="client-secret"))
    assert former() is None


async def test_the_cache_of_callers_holds_no_secret() -> None:
    made = caching()
    await made.by(basic())
    cache = cache_of(made)
    [name] = cache._clients
    assert SECRET not in repr(cache._clients)
    assert name != SecretCache(made.scene.clock.now)._name("acme", basic()), "the key is this process's own"
