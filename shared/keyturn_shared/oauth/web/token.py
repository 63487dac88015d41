"""``POST /realms/{realm}/protocol/openid-connect/token``: client_credentials (RFC 6749 section 4.4)."""

from typing import Final

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.credentials import Attempt, read_credentials
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import (
    AdministratorElsewhereError,
    InvalidRequestError,
    UnsupportedGrantTypeError,
)
from keyturn_shared.oauth.ports import Decider, ReadSet
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.sender_constraint.binding import TokenBinding
from keyturn_shared.oauth.sender_constraint.dpop import read_dpop_proof
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer, IssuedToken
from keyturn_shared.oauth.tokens.grant import Grant, decide_grant, require_service_account
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.errors import client_error
from keyturn_shared.oauth.web.form import Form, read_form, require_form_type
from keyturn_shared.oauth.web.known_callers import KnownCallers
from keyturn_shared.oauth.web.messages import NO_STORE, Elsewhere, Reply, Request, json_reply
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog
from keyturn_shared.projection import ClientProjection

GRANT_TYPE: Final = "client_credentials"


class TokenEndpoint:
    """Issues access tokens. ``elsewhere``: handles administrators' requests, where this service cannot."""

    def __init__(
        self,
        decider: Decider,
        authenticator: Authenticator,
        certificates: CertificateSource,
        binding: TokenBinding,
        issuer: AccessTokenIssuer,
        addresses: CallerAddress,
        log: AuthenticationLog,
        elsewhere: Elsewhere | None = None,
        known: KnownCallers | None = None,
    ) -> None:
        self._known = known
        self._elsewhere = elsewhere
        self._decider = decider
        self._authenticator = authenticator
        self._certificates = certificates
        self._binding = binding
        self._issuer = issuer
        self._addresses = addresses
        self._log = log

    def at_once(self, request: Request) -> Reply | None:
        """Issue a token without waiting to a client that this process has authenticated before, if the token
        is bound to nothing. Raises KeyturnError, which means the same as None: the complete procedure
        answers."""
        if self._known is None or request.authorization is None or request.header(b"dpop") is not None:
            return None
        require_form_type(request.header(b"content-type"))
        form = read_form(request.body)
        _require_grant_type(form)
        caller = self._known.recall(request, form)
        if caller is None:
            return None
        realm, client = caller.states.realm, caller.states.client.projection
        if not client.service_accounts_enabled or client.mtls_bound_tokens or client.dpop_bound_tokens:
            return None
        issued = self._issue_unbound(request, realm, client, form)
        self._decider.require_lease()  # signing took a moment
        self._known.accepted(caller)
        return _reply(issued)

    async def __call__(self, request: Request) -> Reply:
        attempt: Attempt | None = None
        try:
            # Before anything is done, above all before an assertion is marked as used.
            self._decider.require_lease()
            require_form_type(request.header(b"content-type"))
            form = read_form(request.body)
            _require_grant_type(form)
            attempt = Attempt(
                read_credentials(request.authorization, form, lambda: self._certificates.of(request))
            )
            self._log.admit(request, attempt)
            issued = await self._issue(request, attempt, form)
            self._log.admit(request, attempt)
        except KeyturnError as failure:
            error = self._log.refused(failure, request, attempt)
            if self._elsewhere is not None and isinstance(error, AdministratorElsewhereError):
                return await self._elsewhere(request)
            return client_error(error, realm=request.realm, basic=b"basic" in request.schemes)
        self._log.accepted(attempt.method)
        return _reply(issued)

    async def _issue(self, request: Request, attempt: Attempt, form: Form) -> IssuedToken:
        header = request.header(b"dpop")
        proof = None if header is None else read_dpop_proof(header)

        async def decision(read_set: ReadSet) -> IssuedToken:
            realm = await require_realm(read_set, request.realm)
            if proof is not None:
                self._binding.require_nonce(realm, proof)
            client = await self._authenticator.authenticate(read_set, realm, attempt)
            if self._known is not None:
                await self._known.keep(request, attempt, read_set, realm, client)
            require_service_account(client)
            if proof is None and not client.mtls_bound_tokens and not client.dpop_bound_tokens:
                return self._issue_unbound(request, realm, client, form)
            grant, address = self._grant(request, realm, client, form)
            certificate = self._certificates.of(request) if client.mtls_bound_tokens else None
            confirmation = await self._binding.bind(realm, client, proof, certificate)
            return self._issuer.issue(realm, client, grant, confirmation, address)

        return await self._decider.decide(decision)

    def _issue_unbound(
        self, request: Request, realm: RealmState, client: ClientProjection, form: Form
    ) -> IssuedToken:
        grant, address = self._grant(request, realm, client, form)
        return self._issuer.issue(realm, client, grant, address=address)

    def _grant(
        self, request: Request, realm: RealmState, client: ClientProjection, form: Form
    ) -> tuple[Grant, str]:
        """Return what is granted, and the caller's address if its claims have it."""
        grant = decide_grant(realm.profile(client), form.get("scope"), form.targets)
        return grant, self._addresses.of(request).nearest if grant.notes else ""


def _require_grant_type(form: Form) -> None:
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise InvalidRequestError("Missing form parameter: grant_type")
    if grant_type != GRANT_TYPE:
        raise UnsupportedGrantTypeError(f"The only supported grant is {GRANT_TYPE}")


def _reply(issued: IssuedToken) -> Reply:
    """Build the response (RFC 6749 5.1); ``refresh_expires_in`` and ``not-before-policy`` are for Keycloak's
    clients."""
    return json_reply(
        200,
        {
            "access_token": issued.token,
            "expires_in": issued.expires_in,
            "refresh_expires_in": 0,
            "token_type": issued.token_type,
            "not-before-policy": issued.not_before_policy,
            "scope": issued.scope,
        },
        NO_STORE,
    )
