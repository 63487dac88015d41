"""Forwards token revocations to the credentials service, which alone makes changes."""

from keyturn_shared.oauth.errors import AdministratorElsewhereError, RevocationUnavailableError
from keyturn_shared.oauth.tokens.revocation import REVOCATIONS_PATH, TokenToRevoke, seal_revocation
from keyturn_shared.oauth.web.messages import Reply, Request
from keyturn_shared.realm_rings import RealmRings
from keyturn_verifier.web.administrators import CredentialsServiceClient


class RevocationsElsewhere:
    """A ``Revoke``. Returns the credentials service's answer, with the fleet's state of the change."""

    def __init__(self, credentials: CredentialsServiceClient, rings: RealmRings) -> None:
        self._credentials = credentials
        self._rings = rings

    async def __call__(self, request: Request, token: TokenToRevoke) -> Reply:
        """Revoke the token. Raises RevocationUnavailableError if the credentials service does not answer, and
        SealError."""
        sealed = seal_revocation(token, self._rings).encode("ascii")
        try:
            return await self._credentials.hand_over(request, REVOCATIONS_PATH, sealed)
        except AdministratorElsewhereError as error:
            raise RevocationUnavailableError(error.detail) from error
