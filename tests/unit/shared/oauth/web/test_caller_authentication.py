"""Callers that ask about a token: a client with credentials, or with its own access token and proof of
possession."""

from typing import Any

import pytest

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.errors import BadSignatureError
from keyturn_shared.oauth.certificates.client_certificate import read_client_certificate
from keyturn_shared.oauth.errors import (
    InvalidDpopProofError,
    InvalidRequestError,
    MissingCredentialsError,
    PossessionError,
    TooManyFailuresError,
    UnknownRealmError,
    WrongSecretError,
)
from keyturn_shared.oauth.throttling.throttle import FailureLimits
from tests.testkit.certificates import issue
from tests.testkit.dpop import proof
from tests.testkit.oauth_scene import BASE_URL, access_token
from tests.unit.shared.oauth.web.asking import KEY, SECRET, URL, asked, basic


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
