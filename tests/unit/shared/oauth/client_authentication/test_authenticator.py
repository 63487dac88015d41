"""Tables of credentials and the clients they authenticate, and the cost of a refusal."""

from typing import Any

import pytest

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.last_used import name_of_key, name_of_secret
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, BadSignatureError, UnknownKidError
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.certificates.client_certificate import read_client_certificate
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.credentials import (
    Attempt,
    PresentedCertificate,
    PresentedSecret,
    UnverifiedAssertion,
)
from keyturn_shared.oauth.errors import (
    AdministratorElsewhereError,
    AuthenticatorMismatchError,
    CertificateMismatchError,
    CertificateNotValidError,
    ClientDisabledError,
    KeyRevokedError,
    ReplayedError,
    SecretExpiredError,
    UnknownClientError,
    UntrustedCertificateError,
    WrongSecretError,
)
from keyturn_shared.oauth.ports import ReadSet
from keyturn_shared.projection import ClientProjection
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret
from tests.testkit.certificates import issue
from tests.testkit.filled_redis import projected_secret
from tests.testkit.oauth_scene import (
    CLIENT_KEY,
    DUMMY_KEYS,
    OTHER_KEY,
    SKEW,
    Scene,
    assertion,
    client,
    scene,
)

CERTIFICATE = issue(None)
SHOWN = read_client_certificate(CERTIFICATE.der)
VALID_AT = CERTIFICATE.certificate.not_valid_before_utc.timestamp() + 3600


def by_secret(secret: str = "current", how: Any = "client_secret_basic", name: str = "worker") -> Attempt:
    return Attempt(PresentedSecret(how, name, Secret(secret)))


def with_secrets(**changes: Any) -> ClientProjection:
    secrets = (
        projected_secret("uuid-of-worker", "current"),
        projected_secret("uuid-of-worker", "former", not_after=1_000_010.0),
    )
    return client(**{"authenticator": "client-secret", "secrets": secrets, **changes})


async def authenticate(made: Scene, attempt: Attempt, *, administrators: bool = False) -> ClientProjection:
    by = made.of_administrators if administrators else made.authenticator
    return await by.authenticate(made, made.realm, attempt)  # type: ignore[arg-type]  # a scene names realms itself


# -- secrets


@pytest.mark.parametrize("how", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("place", [0, 1])
async def test_either_secret_proves_its_client(how: str, place: int) -> None:
    projection = with_secrets()
    made = scene(projection)
    attempt = by_secret(("current", "former")[place], how)
    assert ((await authenticate(made, attempt)).client_id, attempt.method) == ("worker", how)
    assert made.noted == [("uuid-of-worker", name_of_secret(projection.secrets[place].digest))]
    assert made.evened == []


@pytest.mark.parametrize(
    ("transport", "how", "good"),
    [
        ("any", "basic", True),
        ("any", "post", True),
        ("basic", "basic", True),
        ("basic", "post", False),
        ("post", "post", True),
        ("post", "basic", False),
    ],
)
async def test_a_secret_comes_in_the_way_that_its_client_is_told(
    transport: str, how: str, good: bool
) -> None:
    made = scene(with_secrets(secret_transport=transport))
    if good:
        await authenticate(made, by_secret(how=f"client_secret_{how}"))
        return
    with pytest.raises(AuthenticatorMismatchError):
        await authenticate(made, by_secret(how=f"client_secret_{how}"))


async def test_a_former_secret_ends_when_it_was_to() -> None:
    made = scene(with_secrets())
    made.clock.time = 1_000_009.9
    await authenticate(made, by_secret("former"))
    made.clock.time = 1_000_010.0
    with pytest.raises(SecretExpiredError):
        await authenticate(made, by_secret("former"))
    await authenticate(made, by_secret("current"))


async def test_a_secret_that_is_there_twice_is_good_as_long_as_either() -> None:
    for ends in ((None, 1.0), (1.0, None)):
        secrets = tuple(projected_secret("uuid-of-worker", "same", not_after=each) for each in ends)
        await authenticate(scene(with_secrets(secrets=secrets)), by_secret("same"))


SECRETS_REFUSED: list[tuple[dict[str, Any], str, type[KeyturnError]]] = [
    ({}, "wrong", WrongSecretError),
    ({}, "", WrongSecretError),
    ({"secrets": ()}, "current", WrongSecretError),
    ({"uuid": "another"}, "current", WrongSecretError),
    ({"enabled": False}, "current", ClientDisabledError),
    ({"authenticator": "client-jwt"}, "current", AuthenticatorMismatchError),
    ({"authenticator": "client-secret-jwt"}, "current", AuthenticatorMismatchError),
    ({"authenticator": "client-x509"}, "current", AuthenticatorMismatchError),
    ({"client_id": "another"}, "current", UnknownClientError),
]


@pytest.mark.parametrize(("changes", "secret", "refusal"), SECRETS_REFUSED)
async def test_a_refused_secret_costs_as_much_as_one_that_is_good(
    changes: dict[str, Any], secret: str, refusal: type[KeyturnError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two comparisons and one read, whatever there is to compare with."""
    compared: list[str] = []
    matches = KeyRing.matches

    def count(ring: KeyRing, shown: str, digest: str, context: str) -> bool:
        compared.append(shown)
        return matches(ring, shown, digest, context)

    monkeypatch.setattr(KeyRing, "matches", count)
    changes = dict(changes)
    name = changes.pop("client_id", "worker")
    projection = with_secrets(**changes)
    made = scene(client(name, authenticator="client-secret") if name != "worker" else projection)
    with pytest.raises(refusal):
        await authenticate(made, by_secret(secret))
    assert compared == [secret] * 2
    assert made.evened == ["worker"]
    assert made.noted == []


# -- assertions


def by_assertion(made: Scene, **parts: Any) -> Attempt:
    return Attempt(UnverifiedAssertion(parse_compact(assertion(made, **parts)), "worker"))


async def test_an_assertion_proves_its_client_once() -> None:
    made = scene(client())
    attempt = by_assertion(made)
    for _ in range(2):  # a repeated decision does not take its own mark for a replay
        verified = await authenticate(made, attempt)
        assert (verified.client_id, attempt.method) == ("worker", "private_key_jwt")
    assert made.noted == [("uuid-of-worker", name_of_key(CLIENT_KEY.verification_key.thumbprint))] * 2
    with pytest.raises(ReplayedError):
        await authenticate(made, by_assertion(made))


ASSERTIONS_REFUSED: list[tuple[dict[str, Any], type[KeyturnError], int]] = [
    ({"enabled": False}, ClientDisabledError, 1),
    ({"authenticator": "client-secret"}, AuthenticatorMismatchError, 1),
    ({"authenticator": "client-x509"}, AuthenticatorMismatchError, 1),
    ({"authenticator": "client-jwt"}, UnknownKidError, 1),
    ({"signing_alg": "RS256"}, AlgorithmNotAllowedError, 1),
    ({"key": SigningKey.generate(kid="none of it")}, UnknownKidError, 1),
    ({"key": OTHER_KEY}, BadSignatureError, 0),
    ({"revoked_thumbprints": frozenset({CLIENT_KEY.verification_key.thumbprint})}, KeyRevokedError, 0),
    ({"client_id": "another"}, UnknownClientError, 1),
]


@pytest.mark.parametrize(("changes", "refusal", "dummy_keys"), ASSERTIONS_REFUSED)
async def test_a_refused_assertion_costs_one_signature_and_one_reading_and_uses_nothing_up(
    changes: dict[str, Any], refusal: type[KeyturnError], dummy_keys: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_vain: list[object] = []
    monkeypatch.setattr(DUMMY_KEYS, "equalize_time", in_vain.append)
    changes = dict(changes)
    made = scene(client(changes.pop("client_id", "worker"), **changes))
    with pytest.raises(refusal):
        await authenticate(made, by_assertion(made))
    assert (len(in_vain), made.evened, made.used.uses, made.noted) == (dummy_keys, ["worker"], [], [])


# -- certificates


def by_certificate() -> Attempt:
    return Attempt(PresentedCertificate("worker", SHOWN))


def with_certificate(**changes: Any) -> ClientProjection:
    fields = {
        "authenticator": "client-x509",
        "x509_self_signed": True,
        "jwks": {"keys": [CERTIFICATE.public_jwk]},
    }
    return client(**{**fields, **changes})


def at_its_time(made: Scene) -> Scene:
    made.clock.time = VALID_AT
    return made


async def test_a_certificate_is_known_by_its_key() -> None:
    made = at_its_time(scene(with_certificate()))
    attempt = by_certificate()
    await authenticate(made, attempt)
    assert attempt.method == "self_signed_tls_client_auth"
    assert made.noted == [("uuid-of-worker", name_of_key(SHOWN.key.thumbprint))]


CERTIFICATES_REFUSED: list[tuple[dict[str, Any], type[KeyturnError]]] = [
    ({"enabled": False}, ClientDisabledError),
    ({"authenticator": "client-jwt"}, AuthenticatorMismatchError),
    ({"authenticator": "client-secret"}, AuthenticatorMismatchError),
    ({"jwks": {"keys": [CLIENT_KEY.public_jwk]}}, CertificateMismatchError),
    ({"revoked_thumbprints": frozenset({SHOWN.key.thumbprint})}, KeyRevokedError),
    ({"x509_self_signed": False, "x509_subject_dn": "CN=worker"}, UntrustedCertificateError),
]


@pytest.mark.parametrize(("changes", "refusal"), CERTIFICATES_REFUSED)
async def test_a_certificate_of_nobody_is_refused(
    changes: dict[str, Any], refusal: type[KeyturnError]
) -> None:
    made = at_its_time(scene(with_certificate(**changes)))
    with pytest.raises(refusal):
        await authenticate(made, by_certificate())
    assert (made.evened, made.noted) == (["worker"], [])


async def test_a_certificate_is_good_within_its_time_and_the_skew() -> None:
    made = scene(with_certificate())
    begins = CERTIFICATE.certificate.not_valid_before_utc.timestamp()
    ends = CERTIFICATE.certificate.not_valid_after_utc.timestamp()
    for good in (begins - SKEW, ends + SKEW):
        made.clock.time = good
        await authenticate(made, by_certificate())
    for bad in (begins - SKEW - 1, ends + SKEW + 1):
        made.clock.time = bad
        with pytest.raises(CertificateNotValidError):
            await authenticate(made, by_certificate())


# -- administrators


@pytest.mark.parametrize("of_realm", [False, True])
async def test_credentials_of_administrators_are_checked_by_the_credentials_service_alone(
    of_realm: bool,
) -> None:
    made = scene(with_secrets(administers=not of_realm), administers=of_realm)
    with pytest.raises(AdministratorElsewhereError):
        await authenticate(made, by_secret())
    assert (await authenticate(made, by_secret(), administrators=True)).client_id == "worker"


async def test_the_credentials_service_knows_no_client_but_administrators() -> None:
    made = scene(with_secrets())
    with pytest.raises(UnknownClientError):
        await authenticate(made, by_secret(), administrators=True)
    assert made.evened == ["worker"]


async def test_who_is_not_told_otherwise_leaves_administrators_to_others() -> None:
    """A node has nothing that their credentials could be checked against."""
    made = scene(client(administers=True))
    plain = Authenticator({}, made)

    async def decision(read_set: ReadSet) -> ClientProjection:
        return await plain.authenticate(read_set, made.realm, by_secret())

    with pytest.raises(AdministratorElsewhereError):
        await made.decide(decision)
