"""Who may ask about tokens: any client of the realm, by its credentials or by an access token of its own."""

from collections.abc import Mapping

from keyturn_shared.errors import KeyturnError
from keyturn_verifier.authentication.authenticator import Authenticator
from keyturn_verifier.authentication.presented import Presented, read_presented
from keyturn_verifier.node.node import Basis, Node
from keyturn_verifier.realms import require_realm
from keyturn_verifier.tokens.verification import TokenVerifier
from keyturn_verifier.web.answers import AuthenticationLog
from keyturn_verifier.web.exchange import Request


class Callers:
    """Authenticates callers of introspection and ``/verify``."""

    def __init__(
        self, node: Node, authenticator: Authenticator, verifier: TokenVerifier, log: AuthenticationLog
    ) -> None:
        self._node = node
        self._authenticator = authenticator
        self._verifier = verifier
        self._log = log

    async def require(self, request: Request, parameters: Mapping[str, str]) -> str:
        """The caller's client id. Raises what authentication raises."""
        presented: Presented | None = None
        try:
            authorization = request.authorization
            if authorization is not None and authorization[:7].lower() == "bearer ":
                verified = await self._verifier.verify_access_token(request.realm, authorization[7:].strip())
                return verified.client_id
            presented = read_presented(authorization, parameters)
            client_id = await self._authenticate(request.realm, presented)
        except KeyturnError as error:
            self._log.refused(error, request, presented)
            raise
        self._log.accepted(presented)
        return client_id

    async def _authenticate(self, realm_name: str, presented: Presented) -> str:
        async def decision(basis: Basis) -> str:
            realm = await require_realm(basis, realm_name)
            client = await self._authenticator.authenticate(basis, realm, presented)
            return client.projection.client_id

        return await self._node.decide(decision)
