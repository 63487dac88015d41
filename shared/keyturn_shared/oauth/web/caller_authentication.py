"""Authentication of callers that ask about tokens: clients of the realm, with credentials or an access
token."""

from collections.abc import Callable, Mapping
from typing import Any

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.credentials import Attempt, read_credentials
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import InvalidRequestError
from keyturn_shared.oauth.ports import Decider, ReadSet
from keyturn_shared.oauth.realm_urls import RealmUrls
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck, PresentedToken
from keyturn_shared.oauth.tokens.verification import TokenVerifier
from keyturn_shared.oauth.web.bearer_token import read_bearer_token
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.known_callers import OTHER_CREDENTIALS, KnownCallers
from keyturn_shared.oauth.web.messages import Request
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog


class Callers:
    """Authenticates callers of introspection and ``/verify``. ``known``: those that were authenticated by
    secret; a process without them compares the secret every time."""

    def __init__(
        self,
        decider: Decider,
        authenticator: Authenticator,
        verifier: TokenVerifier,
        certificates: CertificateSource,
        possession: PossessionCheck,
        log: AuthenticationLog,
        known: KnownCallers | None = None,
    ) -> None:
        self._decider = decider
        self._known = known
        self._authenticator = authenticator
        self._verifier = verifier
        self._certificates = certificates
        self._possession = possession
        self._log = log

    async def require(
        self, request: Request, parameters: Mapping[str, str], url: Callable[[RealmUrls], str]
    ) -> str:
        """Return the caller's client id. ``url``: of this endpoint. Raises authentication errors."""
        attempt: Attempt | None = None
        try:
            known = None if self._known is None else self._known.recall(request, parameters)
            if self._known is not None and known is not None:
                self._known.accepted(known)
                return known.client_id
            token = read_bearer_token(request, self._certificates)
            if token is not None:
                if any(name in parameters for name in OTHER_CREDENTIALS):
                    raise InvalidRequestError("more than one method of client authentication")
                self._log.admit(request, None)
                return await self._by_token(request.realm, token, url)
            attempt = Attempt(
                read_credentials(request.authorization, parameters, lambda: self._certificates.of(request))
            )
            self._log.admit(request, attempt)
            client_id = await self._authenticate(request, attempt)
            self._log.admit(request, attempt)
        except KeyturnError as failure:
            error = self._log.refused(failure, request, attempt)
            if error is failure:
                raise
            raise error from failure
        self._log.accepted(attempt.method)
        return client_id

    async def _by_token(self, realm_name: str, token: PresentedToken, url: Callable[[RealmUrls], str]) -> str:
        async def possession(realm: RealmState, claims: Mapping[str, Any]) -> None:
            bases = (realm.urls, realm.mtls_urls)
            await self._possession.require(claims, token, [url(each) for each in bases if each is not None])

        verified = await self._verifier.verify_access_token(realm_name, token.token, possession=possession)
        return verified.client_id

    async def _authenticate(self, request: Request, attempt: Attempt) -> str:
        async def decision(read_set: ReadSet) -> str:
            realm = await require_realm(read_set, request.realm)
            client = await self._authenticator.authenticate(read_set, realm, attempt)
            if self._known is not None:
                await self._known.keep(request, attempt, read_set, realm, client)
            return client.client_id

        return await self._decider.decide(decision)
