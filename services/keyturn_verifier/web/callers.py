"""Who may ask about tokens: any client of the realm, by its credentials or by an access token of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.authentication.authenticator import Authenticator
from keyturn_verifier.authentication.presented import Presented, read_presented
from keyturn_verifier.errors import InvalidRequestError
from keyturn_verifier.node.node import Basis, Node
from keyturn_verifier.node.states import RealmState
from keyturn_verifier.possession.requirement import PossessionCheck, PresentedToken
from keyturn_verifier.realm_urls import RealmUrls
from keyturn_verifier.realms import require_realm
from keyturn_verifier.tokens.verification import TokenVerifier
from keyturn_verifier.web.answers import AuthenticationLog
from keyturn_verifier.web.certificate_source import CertificateSource
from keyturn_verifier.web.exchange import Request
from keyturn_verifier.web.presented_token import read_presented_token

_CREDENTIALS = ("client_secret", "client_assertion")


class Callers:
    """Authenticates callers of introspection and ``/verify``."""

    def __init__(
        self,
        node: Node,
        authenticator: Authenticator,
        verifier: TokenVerifier,
        certificates: CertificateSource,
        possession: PossessionCheck,
        log: AuthenticationLog,
    ) -> None:
        self._node = node
        self._authenticator = authenticator
        self._verifier = verifier
        self._certificates = certificates
        self._possession = possession
        self._log = log

    async def require(
        self, request: Request, parameters: Mapping[str, str], url: Callable[[RealmUrls], str]
    ) -> str:
        """The caller's client id. ``url``: of this endpoint. Raises what authentication raises."""
        presented: Presented | None = None
        try:
            token = read_presented_token(request, self._certificates)
            if token is not None:
                if any(name in parameters for name in _CREDENTIALS):
                    raise InvalidRequestError("more than one method of client authentication")
                self._log.admit(request, None)
                return await self._by_token(request.realm, token, url)
            presented = read_presented(
                request.authorization, parameters, lambda: self._certificates.of(request)
            )
            self._log.admit(request, presented)
            client_id = await self._authenticate(request.realm, presented)
        except KeyturnError as error:
            self._log.refused(error, request, presented)
            raise
        self._log.accepted(presented)
        return client_id

    async def _by_token(self, realm_name: str, token: PresentedToken, url: Callable[[RealmUrls], str]) -> str:
        async def possession(realm: RealmState, claims: Mapping[str, Any]) -> None:
            bases = (realm.urls, realm.mtls_urls)
            await self._possession.require(claims, token, [url(each) for each in bases if each is not None])

        verified = await self._verifier.verify_access_token(realm_name, token.token, possession=possession)
        return verified.client_id

    async def _authenticate(self, realm_name: str, presented: Presented) -> str:
        async def decision(basis: Basis) -> str:
            realm = await require_realm(basis, realm_name)
            client = await self._authenticator.authenticate(basis, realm, presented)
            return client.projection.client_id

        return await self._node.decide(decision)
