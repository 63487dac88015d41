"""``POST /realms/{realm}/protocol/openid-connect/token``: client_credentials (RFC 6749 section 4.4)."""

from typing import Final

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.authentication.authenticator import Authenticator
from keyturn_verifier.authentication.presented import Presented, read_presented
from keyturn_verifier.errors import (
    InvalidRequestError,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
)
from keyturn_verifier.node.node import Basis, Node
from keyturn_verifier.possession.binding import TokenBinding
from keyturn_verifier.realms import require_realm
from keyturn_verifier.tokens.access_tokens import AccessTokenIssuer, IssuedToken
from keyturn_verifier.tokens.grant import decide_grant
from keyturn_verifier.web.answers import AuthenticationLog
from keyturn_verifier.web.certificate_source import CertificateSource
from keyturn_verifier.web.errors import client_error
from keyturn_verifier.web.exchange import NO_STORE, Reply, Request, json_reply
from keyturn_verifier.web.form import Form, read_form, require_form_type

GRANT_TYPE: Final = "client_credentials"


class TokenEndpoint:
    """Issues access tokens."""

    def __init__(
        self,
        node: Node,
        authenticator: Authenticator,
        certificates: CertificateSource,
        binding: TokenBinding,
        issuer: AccessTokenIssuer,
        log: AuthenticationLog,
    ) -> None:
        self._node = node
        self._authenticator = authenticator
        self._certificates = certificates
        self._binding = binding
        self._issuer = issuer
        self._log = log

    async def __call__(self, request: Request) -> Reply:
        presented: Presented | None = None
        try:
            # Before anything is done, above all before an assertion is marked as used.
            self._node.require_lease()
            require_form_type(request.header(b"content-type"))
            form = read_form(request.body)
            _require_grant_type(form)
            presented = read_presented(request.authorization, form, lambda: self._certificates.of(request))
            self._log.admit(request, presented)
            issued = await self._issue(request, presented, form)
        except KeyturnError as error:
            self._log.refused(error, request, presented)
            return client_error(error, realm=request.realm, basic=b"basic" in request.schemes)
        self._log.accepted(presented)
        return _reply(issued)

    async def _issue(self, request: Request, presented: Presented, form: Form) -> IssuedToken:
        header = request.header(b"dpop")
        proof = None if header is None else self._binding.read(header)

        async def decision(basis: Basis) -> IssuedToken:
            realm = await require_realm(basis, request.realm)
            client = (await self._authenticator.authenticate(basis, realm, presented)).projection
            if not client.service_accounts_enabled:
                raise UnauthorizedClientError("Client not enabled to retrieve service account")
            grant = decide_grant(client, form.get("scope"), form.targets)
            if proof is None and not client.mtls_bound_tokens and not client.dpop_bound_tokens:
                return self._issuer.issue(realm, client, grant)
            certificate = self._certificates.of(request) if client.mtls_bound_tokens else None
            confirmation = await self._binding.bind(realm, client, proof, certificate)
            return self._issuer.issue(realm, client, grant, confirmation)

        return await self._node.decide(decision)


def _require_grant_type(form: Form) -> None:
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise InvalidRequestError("Missing form parameter: grant_type")
    if grant_type != GRANT_TYPE:
        raise UnsupportedGrantTypeError(f"The only grant here is {GRANT_TYPE}")


def _reply(issued: IssuedToken) -> Reply:
    """RFC 6749 5.1; the two members of value 0 are there for Keycloak's clients."""
    return json_reply(
        200,
        {
            "access_token": issued.token,
            "expires_in": issued.expires_in,
            "refresh_expires_in": 0,
            "token_type": issued.token_type,
            "not-before-policy": 0,
            "scope": issued.scope,
        },
        NO_STORE,
    )
