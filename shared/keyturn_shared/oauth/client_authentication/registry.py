"""The verifier of each client authenticator (``keyturn_shared.client_authenticators``)."""

from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar

from keyturn_shared.client_authenticators import AuthenticatorId
from keyturn_shared.fleet.last_used import name_of_key
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, UnknownKidError
from keyturn_shared.jose.verify import require_algorithm
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck
from keyturn_shared.oauth.client_authentication.certificates import CertificateCheck
from keyturn_shared.oauth.client_authentication.credentials import (
    Attempt,
    IssuedAssertion,
    Presented,
    PresentedCertificate,
    PresentedSecret,
    UnverifiedAssertion,
)
from keyturn_shared.oauth.client_authentication.dummy_keys import DummyKeys
from keyturn_shared.oauth.client_authentication.secrets import SecretCheck
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import IssuerDisabledError, WrongIssuerError
from keyturn_shared.projection import ClientProjection

Kind = TypeVar("Kind", contravariant=True)


class CredentialVerifier(Protocol[Kind]):
    """Verifies the credentials of one authenticator. Every refusal takes the same time; ``equalize_time``
    ensures this when there is nothing to verify against."""

    def fits(self, client: ClientProjection, presented: Presented) -> bool:
        """Return whether the client may use these credentials at all; or raise RefusedError, to say why it
        may not."""
        ...

    async def verify(
        self, realm: RealmState, client: ClientProjection, presented: Kind, attempt: Attempt
    ) -> str:
        """Return the name of the client's credential (``keyturn_shared.fleet.last_used``). Raises
        RefusedError, JoseError, and errors of ``is_unavailable``."""
        ...

    def equalize_time(self, presented: Kind) -> None:
        """Do the work of ``verify`` and discard the result."""
        ...


Verifiers = Mapping[AuthenticatorId, CredentialVerifier[Any]]


class AssertionVerifier:
    """Verifies assertions (RFC 7523 section 3), signed with a key or with the secret."""

    def __init__(self, check: AssertionCheck, dummy_keys: DummyKeys) -> None:
        self._check = check
        self._dummy_keys = dummy_keys

    def fits(self, client: ClientProjection, presented: Presented) -> bool:
        return isinstance(presented, UnverifiedAssertion)

    async def verify(
        self, realm: RealmState, client: ClientProjection, presented: UnverifiedAssertion, attempt: Attempt
    ) -> str:
        token = presented.token
        try:
            credential = await self._check.check_signature(token, realm.projection, client)
        except (UnknownKidError, AlgorithmNotAllowedError):
            self.equalize_time(presented)  # these errors come before any signature is checked
            raise
        refused_from = self._check.check_claims(token, realm.projection, client, realm.audiences)
        if not attempt.is_marked:
            await self._check.mark_used(token.claims, realm.projection, client, refused_from)
            attempt.is_marked = True
        return credential

    def equalize_time(self, presented: UnverifiedAssertion) -> None:
        self._dummy_keys.equalize_time(presented.token)


class IssuedAssertionVerifier:
    """Verifies assertions of trusted issuers about clients (RFC 7523 section 3, RFC 7521 section 4.1)."""

    def __init__(self, check: AssertionCheck, dummy_keys: DummyKeys) -> None:
        self._check = check
        self._dummy_keys = dummy_keys

    def fits(self, client: ClientProjection, presented: Presented) -> bool:
        if not isinstance(presented, IssuedAssertion | UnverifiedAssertion):
            return False
        issuer = presented.issuer if isinstance(presented, IssuedAssertion) else None
        if issuer is None or client.federated is None or client.federated.alias != issuer.alias:
            raise WrongIssuerError("not the client's issuer")
        if not issuer.projection.enabled:
            raise IssuerDisabledError(issuer.alias)
        return True

    async def verify(
        self, realm: RealmState, client: ClientProjection, presented: IssuedAssertion, attempt: Attempt
    ) -> str:
        token, issuer = presented.token, presented.issuer
        assert issuer is not None, "fits has checked it"  # noqa: S101 - a mistake in code
        try:
            require_algorithm(token, issuer.algorithms)
            if client.signing_alg is not None:
                require_algorithm(token, (client.signing_alg,))
            thumbprint = await self._check.check_key(token, realm.projection, issuer)
        except (UnknownKidError, AlgorithmNotAllowedError):
            self.equalize_time(presented)  # these errors come before any signature is checked
            raise
        refused_from = self._check.check_issued_claims(token, realm.projection, client, issuer)
        if not issuer.projection.is_reusable and not attempt.is_marked:
            await self._check.mark_issued_used(token.claims, realm.projection, issuer, refused_from)
            attempt.is_marked = True
        return name_of_key(thumbprint)

    def equalize_time(self, presented: IssuedAssertion) -> None:
        self._dummy_keys.equalize_time(presented.token)


EQUALIZED_AS: Final[Mapping[type[Presented], AuthenticatorId]] = {
    PresentedSecret: "client-secret",
    UnverifiedAssertion: "client-jwt",
    IssuedAssertion: "federated-jwt",
    PresentedCertificate: "client-x509",
}
"""The verifier whose work is done for credentials of an unknown client."""


def build_verifiers(
    assertions: AssertionCheck,
    secrets: SecretCheck,
    certificates: CertificateCheck,
    dummy_keys: DummyKeys,
) -> Verifiers:
    """Build one verifier for each of ``CLIENT_AUTHENTICATORS``."""
    by_assertion = AssertionVerifier(assertions, dummy_keys)
    return {
        "client-secret": secrets,
        "client-jwt": by_assertion,
        "client-secret-jwt": by_assertion,
        "client-x509": certificates,
        "federated-jwt": IssuedAssertionVerifier(assertions, dummy_keys),
    }
