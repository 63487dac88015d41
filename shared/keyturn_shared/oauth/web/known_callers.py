"""Callers that were authenticated before by the same header, for the endpoints that authenticate clients."""

from collections.abc import Mapping
from typing import Final

from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.credentials import Attempt, PresentedSecret
from keyturn_shared.oauth.client_authentication.secret_cache import AuthenticatedClient, SecretCache
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.ports import Decider, ReadSet
from keyturn_shared.oauth.web.messages import Request
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog
from keyturn_shared.projection import ClientProjection

OTHER_CREDENTIALS: Final = ("client_secret", "client_assertion")
"""Parameters beside which the header is a second method of authentication (RFC 6749 section 2.3)."""


class KnownCallers:
    """Recalls authentications by secret. All endpoints of a node share one."""

    def __init__(
        self, decider: Decider, authenticator: Authenticator, log: AuthenticationLog, cache: SecretCache
    ) -> None:
        self._decider = decider
        self._authenticator = authenticator
        self._log = log
        self._cache = cache

    def recall(self, request: Request, parameters: Mapping[str, str]) -> AuthenticatedClient | None:
        """Return the caller if it was authenticated before by the same header, and still would be at this
        instant. None: it must be authenticated. Call ``accepted`` if it gets an answer. Raises FencedError
        and InvalidRequestError."""
        if self._log.refuses_any:
            return None
        authorization = request.authorization
        if authorization is None or any(name in parameters for name in OTHER_CREDENTIALS):
            return None
        known = self._cache.find(request.realm, authorization)
        if known is None or parameters.get("client_id", known.client_id) != known.client_id:
            return None
        self._decider.require_lease()
        return known

    def accepted(self, caller: AuthenticatedClient) -> None:
        """Record an authentication that was recalled, as if it had been repeated."""
        self._authenticator.note_use(caller.states.client.projection.uuid, caller.credential)
        self._log.accepted("client_secret_basic")

    async def keep(
        self,
        request: Request,
        attempt: Attempt,
        read_set: ReadSet,
        realm: RealmState,
        client: ClientProjection,
    ) -> None:
        """Keep an authentication by secret in the header, with the states that its decision has read.
        ``client``: as it was authenticated."""
        if not isinstance(attempt.presented, PresentedSecret):
            return
        state, authorization = await read_set.client(realm, client.client_id), request.authorization
        if state is None or state.projection is not client:
            return  # changed since its secret was compared, so nothing is known of it as it is now
        if authorization is not None:
            known = AuthenticatedClient(realm, state, attempt.credential)
            self._cache.keep(request.realm, authorization, known)
