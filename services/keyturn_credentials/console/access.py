"""Who uses the console: signing in with an admin client's secret or a one-time link, then the cookie."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from starlette.requests import Request

from keyturn_credentials.console.sessions import ConsoleSession, SessionSealer
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.secrets import ClientSecrets, generate_secret
from keyturn_credentials.errors import ForbiddenError, UnauthenticatedError
from keyturn_credentials.operations.secret_making import SecretMaker
from keyturn_credentials.store.transaction import Store
from keyturn_shared.secret import Secret

COOKIE: Final = "keyturn_session"
CSRF_HEADER: Final = "x-csrf-token"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED: Final = "The client ID or the secret is wrong, or the client is no admin."

ClaimTicket = Callable[[str], Awaitable[bool]]
"""Marks a ticket's number as used; False when it was. Raises RedisUnavailableError."""


class ConsoleAccess:
    """Signs people in and reads their sessions."""

    def __init__(
        self, store: Store, sealer: SessionSealer, secrets: SecretMaker, claim_ticket: ClaimTicket
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._secrets = secrets
        self._claim_ticket = claim_ticket
        nobody = Client(uuid="nobody", realm_id="", client_id="")
        decoy = secrets.store(nobody, Realm(id="", name=""), generate_secret(), 0.0)
        self._nobody = replace(nobody, secrets=ClientSecrets(current=decoy))

    async def sign_in(self, realm: str, client_id: str, secret: Secret) -> tuple[ConsoleSession, str]:
        """A session and its cookie. Raises UnauthenticatedError, the same for every cause."""
        client = await self._find_admin(realm, client_id)
        # The comparison is made in any case, so that an unknown client takes the time of a known one.
        matches = self._secrets.is_same(client or self._nobody, secret)
        if client is None or not matches:
            raise UnauthenticatedError(_REFUSED)
        return self._sealer.open_session(realm, client.uuid, client.client_id)

    async def sign_in_by_ticket(self, text: str) -> tuple[ConsoleSession, str]:
        """A session for a one-time link. Raises UnauthenticatedError, and RedisUnavailableError when nobody
        can tell whether the link was used before."""
        ticket = self._sealer.read_ticket(text)
        client = await self._find_admin(ticket.realm, ticket.client_id) if ticket else None
        if ticket is None or client is None or not await self._claim_ticket(ticket.number):
            raise UnauthenticatedError("This link was used, or is too old. Sign in with the client's secret.")
        return self._sealer.open_session(ticket.realm, client.uuid, client.client_id)

    def session_of(self, request: Request) -> ConsoleSession:
        """The session of a request's cookie. Raises UnauthenticatedError."""
        session = self._sealer.read_session(request.cookies.get(COOKIE, ""))
        if session is None:
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        return session

    async def authenticate(self, request: Request) -> Principal:
        """The caller of the admin API by cookie, with the roles held at this moment.

        Raises UnauthenticatedError, and ForbiddenError for a change without the session's CSRF token.
        """
        session = self.session_of(request)
        if request.method not in _SAFE_METHODS:
            require_csrf(request, session)
        client = await self._find_admin(session.realm, session.client_id)
        if client is None or client.uuid != session.client_uuid:
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        return Principal(session.realm, client.uuid, client.client_id, client.admin_roles)

    async def _find_admin(self, realm_name: str, client_id: str) -> Client | None:
        if "\0" in realm_name or "\0" in client_id:
            return None
        async with self._store.read() as reading:
            realm = await reading.realms.get(realm_name)
            if realm is None or not realm.enabled:
                return None
            client = await reading.clients.find(realm.id, client_id)
        if client is None or not client.enabled or not client.admin_roles:
            return None
        return client


def require_csrf(request: Request, session: ConsoleSession) -> None:
    """Raise ForbiddenError unless the request shows that a page of ours sent it."""
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise ForbiddenError("the CSRF token of the session is missing or wrong")
