"""``POST …/revoke`` (RFC 7009): a client ends an access token of its own before it expires."""

from collections.abc import Awaitable, Callable

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.credentials import Attempt, read_credentials
from keyturn_shared.oauth.errors import AdministratorElsewhereError, InvalidRequestError, is_unavailable
from keyturn_shared.oauth.ports import Decider, ReadSet
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.tokens.revocation import TokenToRevoke
from keyturn_shared.oauth.tokens.verification import TokenVerifier, left_to_the_caller
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.errors import client_error
from keyturn_shared.oauth.web.form import read_form, require_form_type
from keyturn_shared.oauth.web.messages import NO_STORE, Elsewhere, Reply, Request
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog
from keyturn_shared.projection import ClientProjection, token_digest

Revoke = Callable[[Request, TokenToRevoke], Awaitable[Reply]]
"""Revokes the token in the whole fleet; the answer reports the progress."""


class RevocationEndpoint:
    """Revokes access tokens. ``elsewhere``: handles administrators' requests, where this service cannot."""

    def __init__(
        self,
        decider: Decider,
        authenticator: Authenticator,
        verifier: TokenVerifier,
        certificates: CertificateSource,
        revoke: Revoke,
        log: AuthenticationLog,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._decider = decider
        self._authenticator = authenticator
        self._verifier = verifier
        self._certificates = certificates
        self._revoke = revoke
        self._log = log
        self._elsewhere = elsewhere

    async def __call__(self, request: Request) -> Reply:
        attempt: Attempt | None = None
        try:
            self._decider.require_lease()
            require_form_type(request.header(b"content-type"))
            form = read_form(request.body)
            attempt = Attempt(
                read_credentials(request.authorization, form, lambda: self._certificates.of(request))
            )
            self._log.admit(request, attempt)
            client = await self._authenticate(request.realm, attempt)
            self._log.admit(request, attempt)
        except KeyturnError as failure:
            error = self._log.refused(failure, request, attempt)
            if self._elsewhere is not None and isinstance(error, AdministratorElsewhereError):
                return await self._elsewhere(request)
            return client_error(error, realm=request.realm, basic=b"basic" in request.schemes)
        self._log.accepted(attempt.method)
        try:
            token = await self._own_token(request.realm, client, form.get("token"))
            # Section 2.2: an invalid token needs no revoking, and the client gets the same answer.
            return Reply(200, headers=[*NO_STORE]) if token is None else await self._revoke(request, token)
        except KeyturnError as error:
            return client_error(error, realm=request.realm, basic=False)

    async def _authenticate(self, realm_name: str, attempt: Attempt) -> ClientProjection:
        async def decision(read_set: ReadSet) -> ClientProjection:
            realm = await require_realm(read_set, realm_name)
            return await self._authenticator.authenticate(read_set, realm, attempt)

        return await self._decider.decide(decision)

    async def _own_token(
        self, realm: str, client: ClientProjection, text: str | None
    ) -> TokenToRevoke | None:
        """Return None if it is not a valid access token. Raises InvalidRequestError for a token of another
        client (section 2.1), and errors of ``is_unavailable``."""
        if text is None:
            raise InvalidRequestError("Missing form parameter: token")
        try:
            verified = await self._verifier.verify_access_token(realm, text, possession=left_to_the_caller)
        except KeyturnError as error:
            if is_unavailable(error):
                raise
            return None
        if verified.client_id != client.client_id:
            raise InvalidRequestError("The token was issued to another client")
        claims = verified.claims
        jti = claims.get("jti")
        if not isinstance(jti, str):
            return None  # every token issued here has one
        return TokenToRevoke(
            realm=realm,
            realm_id=client.realm_id,
            client_uuid=client.uuid,
            client_id=client.client_id,
            digest=token_digest(jti),
            expires_at=claims["exp"],
        )
