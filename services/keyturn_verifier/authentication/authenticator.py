"""From what was presented to a verified client."""

from dataclasses import dataclass

from keyturn_shared.clock import Clock
from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.uses import name_of_key, name_of_secret
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, UnknownKidError
from keyturn_shared.projection import ClientProjection
from keyturn_verifier.authentication.assertions import AssertionCheck, require_signing
from keyturn_verifier.authentication.certificates import CertificateCheck
from keyturn_verifier.authentication.decoys import Decoys
from keyturn_verifier.authentication.presented import (
    Method,
    Presented,
    PresentedCertificate,
    PresentedSecret,
    UnverifiedAssertion,
)
from keyturn_verifier.authentication.secrets import SecretCheck
from keyturn_verifier.authentication.uses import CredentialUses
from keyturn_verifier.errors import (
    AuthenticatorMismatchError,
    ClientDisabledError,
    UnknownClientError,
    is_unavailable,
)
from keyturn_verifier.node.node import Basis
from keyturn_verifier.node.states import RealmState


@dataclass(frozen=True, slots=True)
class VerifiedClient:
    """A client that has proved who it is, as it was when that was decided."""

    projection: ClientProjection
    method: Method


class Authenticator:
    """Checks what was presented. Every refusal takes the time of a whole check."""

    def __init__(
        self,
        assertions: AssertionCheck,
        secrets: SecretCheck,
        certificates: CertificateCheck,
        decoys: Decoys,
        uses: CredentialUses,
        clock: Clock,
    ) -> None:
        self._assertions = assertions
        self._secrets = secrets
        self._certificates = certificates
        self._decoys = decoys
        self._uses = uses
        self._clock = clock

    async def authenticate(self, basis: Basis, realm: RealmState, presented: Presented) -> VerifiedClient:
        """The client. Raises RefusedError or JoseError, and what says that nothing can be decided now."""
        state = await basis.client(realm, presented.client_id)
        try:
            return await self._check(None if state is None else state.projection, realm, presented)
        except KeyturnError as error:
            if not is_unavailable(error):
                await basis.even_out(realm, presented.client_id)
            raise

    async def _check(
        self, client: ClientProjection | None, realm: RealmState, presented: Presented
    ) -> VerifiedClient:
        if isinstance(presented, PresentedSecret):
            return self._by_secret(client, presented)
        if isinstance(presented, PresentedCertificate):
            return await self._by_certificate(client, realm, presented)
        return await self._by_assertion(client, realm, presented)

    def _by_secret(self, client: ClientProjection | None, presented: PresentedSecret) -> VerifiedClient:
        try:
            accepted = _usable(client, presented.client_id)
            if accepted.authenticator != "client-secret" or accepted.secret_transport not in (
                "any",
                presented.method.removeprefix("client_secret_"),
            ):
                raise AuthenticatorMismatchError(f"{presented.method} with {accepted.authenticator}")
        except KeyturnError:
            self._secrets.spend(presented.secret)
            raise
        secret = self._secrets.check(accepted, presented.secret, self._clock.now())
        self._uses.note(accepted.uuid, name_of_secret(secret.digest))
        return VerifiedClient(accepted, presented.method)

    async def _by_assertion(
        self, client: ClientProjection | None, realm: RealmState, presented: UnverifiedAssertion
    ) -> VerifiedClient:
        token = presented.token
        try:
            accepted = _usable(client, presented.client_id)
            require_signing(accepted)
        except KeyturnError:
            self._decoys.spend(token)
            raise
        try:
            credential = await self._assertions.check_signature(token, realm.projection, accepted)
        except (UnknownKidError, AlgorithmNotAllowedError):
            self._decoys.spend(token)  # these are known before any signature is checked
            raise
        refused_from = self._assertions.check_claims(token.claims, accepted, realm.audiences)
        if presented.claimed_for != accepted.uuid:
            await self._assertions.claim(token.claims, accepted, refused_from)
            presented.claimed_for = accepted.uuid
        self._uses.note(accepted.uuid, credential)
        return VerifiedClient(accepted, presented.method)

    async def _by_certificate(
        self, client: ClientProjection | None, realm: RealmState, presented: PresentedCertificate
    ) -> VerifiedClient:
        try:
            accepted = _usable(client, presented.client_id)
            if accepted.authenticator != "client-x509":
                raise AuthenticatorMismatchError(f"a certificate with {accepted.authenticator}")
        except KeyturnError:
            self._certificates.spend(presented.certificate)
            raise
        method = await self._certificates.check(presented.certificate, realm.projection, accepted)
        presented.method = method
        self._uses.note(accepted.uuid, name_of_key(presented.certificate.key.thumbprint))
        return VerifiedClient(accepted, method)


def _usable(client: ClientProjection | None, client_id: str) -> ClientProjection:
    if client is None:
        raise UnknownClientError(client_id[:100])
    if not client.enabled:
        raise ClientDisabledError(client_id[:100])
    return client
