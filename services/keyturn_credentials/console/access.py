"""Who uses the console: signing in with an admin client's secret or a one-time link, then the cookie."""

import hmac
from dataclasses import replace
from typing import Final

from starlette.requests import Request

from keyturn_credentials.console.sessions import (
    SESSION_SECONDS,
    TICKET_SECONDS,
    ConsoleSession,
    SessionSealer,
)
from keyturn_credentials.console.spent import SpentNumbers
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret, generate_secret
from keyturn_credentials.errors import ForbiddenError, UnauthenticatedError
from keyturn_credentials.operations.secret_making import NEEDS_SECRET, SecretMaker
from keyturn_credentials.store.transaction import Store
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.secret import Secret

CSRF_HEADER: Final = "x-csrf-token"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED: Final = "The client ID or the secret is wrong, or the client is no admin."


class ConsoleAccess:
    """Signs people in and reads their sessions."""

    def __init__(
        self,
        store: Store,
        sealer: SessionSealer,
        secrets: SecretMaker,
        tickets: SpentNumbers,
        *,
        cookie: str,
    ) -> None:
        self.cookie = cookie
        self._store = store
        self._sealer = sealer
        self._secrets = secrets
        self._spent = tickets
        nobody = Client(uuid="nobody", realm_id="", client_id="")
        decoy = secrets.store(nobody, Realm(id="", name=""), generate_secret(), 0.0)
        self._nobody = replace(nobody, secrets=ClientSecrets(current=decoy))

    async def sign_in(self, realm: str, client_id: str, secret: Secret) -> tuple[ConsoleSession, str]:
        """A session and its cookie. Raises UnauthenticatedError, the same for every cause."""
        client = await self._find_admin(realm, client_id)
        # The comparison is made in any case, so that an unknown client takes the time of a known one.
        matches = self._secrets.is_same(client or self._nobody, secret)
        if client is None or not matches or self._secret_of(client) is None:
            raise UnauthenticatedError(_REFUSED)
        return self._open(realm, client)

    async def sign_in_by_ticket(self, text: str) -> tuple[ConsoleSession, str]:
        """A session for a one-time link. Raises UnauthenticatedError, and RedisUnavailableError when nobody
        can tell whether the link was used before."""
        ticket = self._sealer.read_ticket(text)
        client = await self._find_admin(ticket.realm, ticket.client_id) if ticket else None
        if ticket is None or client is None or not await self._spent.spend(ticket.number, TICKET_SECONDS):
            raise UnauthenticatedError("This link was used, or is too old. Sign in with the client's secret.")
        return self._open(ticket.realm, client)

    async def sign_out(self, session: ConsoleSession) -> None:
        """The session is over, whoever has its cookie. Raises RedisUnavailableError."""
        await self._spent.spend(session.number, SESSION_SECONDS)

    async def session_of(self, request: Request) -> ConsoleSession:
        """The session of a request's cookie. Raises UnauthenticatedError."""
        session = self._sealer.read_session(request.cookies.get(self.cookie, ""))
        if session is None or await self._is_over(session):
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        return session

    async def authenticate(self, request: Request) -> Principal:
        """The caller of the admin API by cookie, with the roles held at this moment.

        Raises UnauthenticatedError, and ForbiddenError for a change without the session's CSRF token.
        """
        session = await self.session_of(request)
        if request.method not in _SAFE_METHODS:
            require_csrf(request, session)
        client = await self._find_admin(session.realm, session.client_id)
        if client is None or (client.uuid, self._made(client)) != (session.client_uuid, session.secret_made):
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        return Principal(session.realm, client.uuid, client.client_id, client.admin_roles)

    def _open(self, realm: str, client: Client) -> tuple[ConsoleSession, str]:
        return self._sealer.open_session(realm, client.uuid, client.client_id, self._made(client))

    async def _is_over(self, session: ConsoleSession) -> bool:
        """Whether it was signed out. While Redis cannot tell, a session counts until it runs out: operators
        need the console most when something is broken."""
        try:
            return await self._spent.is_spent(session.number)
        except RedisUnavailableError:
            return False

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
        if not client.service_accounts_enabled:  # it gets no tokens, so it has no part in the admin API
            return None
        return client

    def _made(self, client: Client) -> float:
        """When the secret that the client goes by was made, 0 without one: sessions end with it."""
        secret = self._secret_of(client)
        return 0.0 if secret is None else secret.created_at

    def _secret_of(self, client: Client) -> StoredSecret | None:
        """The secret that a verifier would take from the client now, if there is one."""
        secret = client.secrets.current
        if secret is None or not client.is_confidential or client.authenticator not in NEEDS_SECRET:
            return None
        return secret if secret.is_valid(self._sealer.clock.now()) else None


def require_csrf(request: Request, session: ConsoleSession) -> None:
    """Raise ForbiddenError unless the request shows that a page of ours sent it."""
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise ForbiddenError("the CSRF token of the session is missing or wrong")
