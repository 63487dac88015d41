"""Access to the console: sign-in with an admin client's secret or a one-time link, then by cookie."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from starlette.requests import Request

from keyturn_credentials.console.one_time_tokens import OneTimeTokens
from keyturn_credentials.console.origin import OwnOrigin
from keyturn_credentials.console.persons import Persons
from keyturn_credentials.console.sessions import (
    SESSION_SECONDS,
    TICKET_SECONDS,
    ConsoleSession,
    SessionSealer,
)
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret, generate_secret
from keyturn_credentials.errors import ForbiddenError, UnauthenticatedError
from keyturn_credentials.oidc.errors import LogoutTokenError
from keyturn_credentials.oidc.flow import Flow, PersonSignIn
from keyturn_credentials.oidc.logout_token import Logout
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.secret import Secret

CSRF_HEADER: Final = "x-csrf-token"
_RENEWAL_SECONDS: Final = 60
"""Longest time that a renewal may take: one that overtakes a sign-out must not outlive its mark."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED: Final = "The client ID or secret is wrong, or this client is not an administrator."


class ConsoleAccess:
    """Signs users in and reads their sessions."""

    def __init__(
        self,
        store: Store,
        sealer: SessionSealer,
        secrets: SecretIssuer,
        tickets: OneTimeTokens,
        *,
        cookie: str,
        origin: OwnOrigin,
        persons: Persons | None = None,
        persons_only: bool = False,
    ) -> None:
        """``persons``: their sessions, if they can sign in. ``persons_only``: clients cannot, except with a
        one-time link."""
        self.origin = origin
        self.cookie = cookie
        self.persons = persons
        self.persons_only = persons_only
        self._store = store
        self._sealer = sealer
        self._secrets = secrets
        self._spent = tickets
        nobody = Client(uuid="nobody", realm_id="", client_id="")
        dummy = secrets.store(nobody, Realm(id="", name=""), generate_secret(), 0.0)
        self._nobody = replace(nobody, secrets=ClientSecrets(current=dummy))

    async def sign_in(self, realm: str, client_id: str, secret: Secret) -> tuple[ConsoleSession, str]:
        """Create a session and its cookie. Raises UnauthenticatedError, the same for every cause, and
        ForbiddenError if only persons sign in."""
        if self.persons_only:
            raise ForbiddenError("Signing in with a client secret is turned off. Sign in as a person.")
        found = await self._find_admin(realm, client_id)
        client = None if found is None else found[1]
        # Compare in any case, so that an unknown client takes as long as a known one.
        matches = self._secrets.is_same(client or self._nobody, secret)
        if found is None or client is None or not matches or self._secret_of(client) is None:
            raise UnauthenticatedError(_REFUSED)
        return self._open(*found)

    async def sign_in_by_ticket(self, text: str) -> tuple[ConsoleSession, str]:
        """Create a session for a one-time link. Raises UnauthenticatedError, and RedisUnavailableError if
        Redis cannot tell whether the link was used before."""
        ticket = self._sealer.read_ticket(text)
        found = await self._find_admin(ticket.realm, ticket.client_id) if ticket else None
        if ticket is None or found is None or not await self._spent.spend(ticket.number, TICKET_SECONDS):
            raise UnauthenticatedError(
                "This link has already been used or has expired. Sign in with the client secret."
            )
        return self._open(*found, by_link=True)

    async def sign_in_person(
        self, sign_in: PersonSignIn, flow: Flow | None, answer: Mapping[str, str]
    ) -> tuple[ConsoleSession, str]:
        """Create a session for the provider's answer to a sign-in. Raises SignInError, and
        StoreUnavailableError."""
        assert self.persons is not None, "there is a provider"  # noqa: S101 - a mistake in code
        return await self.persons.open(await sign_in.complete(flow, answer))

    async def log_out_person(self, logout: Logout) -> None:
        """End the sessions that the provider has ended. Raises LogoutTokenError if the token was used before,
        and StoreUnavailableError."""
        assert self.persons is not None, "there is a provider"  # noqa: S101 - a mistake in code
        if not await self.persons.log_out(logout):
            raise LogoutTokenError("the logout token was used before")

    async def sign_out(self, session: ConsoleSession) -> None:
        """End the session for every holder of its cookie. Raises RedisUnavailableError, and for a person
        StoreUnavailableError."""
        if session.person is not None and self.persons is not None:
            await self.persons.end(session)
            return
        await self._spent.spend(session.number, SESSION_SECONDS + _RENEWAL_SECONDS)

    async def renew(self, request: Request) -> tuple[ConsoleSession, str]:
        """Renew the session of a request, whose caller must still be an administrator. Raises the errors of
        ``authenticate``, and RedisUnavailableError if Redis cannot tell whether the session was signed out: a
        copied cookie must not live on."""
        await self.authenticate(request)
        session = await self.session_of(request)
        if session.person is None and await self._spent.is_spent(session.number):
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        return self._sealer.renew_session(session)

    async def session_of(self, request: Request) -> ConsoleSession:
        """Return the session of a request's cookie. Raises UnauthenticatedError."""
        session = self._sealer.read_session(request.cookies.get(self.cookie, ""))
        if session is None or await self._is_over(session):
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        return session

    async def authenticate(self, request: Request) -> Principal:
        """Return the caller of the admin API by cookie, with its current roles. Raises UnauthenticatedError,
        and ForbiddenError for a change from another origin's pages, or without the session's CSRF token."""
        session = await self.session_of(request)
        if request.method not in _SAFE_METHODS:
            self.origin.require(request)
            require_csrf(request, session)
        if session.person is not None and self.persons is not None:
            return await self.persons.principal_of(session.person)
        found = await self._find_admin(session.realm, session.client_id)
        if found is None:
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        realm, client = found
        if (client.uuid, self._made(client)) != (session.client_uuid, session.secret_made):
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        # Whatever ends the client's tokens ends its sessions.
        if session.generation < realm.token_generation + client.token_generation:
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        if session.began_at < max(realm.not_before, client.not_before):
            raise UnauthenticatedError("HTTP 401 Unauthorized")
        return Principal(session.realm, client.uuid, client.client_id, client.admin_roles)

    def _open(self, realm: Realm, client: Client, *, by_link: bool = False) -> tuple[ConsoleSession, str]:
        generation = realm.token_generation + client.token_generation
        return self._sealer.open_session(
            realm.name, client.uuid, client.client_id, self._made(client), generation, by_link=by_link
        )

    async def _is_over(self, session: ConsoleSession) -> bool:
        """Return whether the session was signed out, or begun in a way that is turned off. While Redis cannot
        tell, a client's session is valid until it expires: operators need the console most during an
        outage."""
        if session.person is not None:
            return self.persons is None or await self.persons.is_over(session, session.person)
        if self.persons_only and not session.by_link:
            return True
        try:
            return await self._spent.is_spent(session.number)
        except RedisUnavailableError:
            return False

    async def _find_admin(self, realm_name: str, client_id: str) -> tuple[Realm, Client] | None:
        if "\0" in realm_name or "\0" in client_id:
            return None
        async with self._store.read() as reading:
            realm = await reading.realms.get(realm_name)
            if realm is None or not realm.enabled:
                return None
            client = await reading.clients.find(realm.id, client_id)
        if client is None or not client.enabled or not client.admin_roles:
            return None
        if not client.service_accounts_enabled:  # it gets no tokens, so it cannot use the admin API
            return None
        return realm, client

    def _made(self, client: Client) -> float:
        """Return when the client's current secret was created, 0 without one: sessions end with it."""
        secret = self._secret_of(client)
        return 0.0 if secret is None else secret.created_at

    def _secret_of(self, client: Client) -> StoredSecret | None:
        """Return the secret that a verifier would accept from the client now, if any."""
        secret = client.secrets.current
        if secret is None or not client.needs_secret:
            return None
        return secret if secret.is_valid(self._sealer.clock.now()) else None


def require_csrf(request: Request, session: ConsoleSession) -> None:
    """Raise ForbiddenError unless the request proves that it comes from a page of the console."""
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise ForbiddenError("the CSRF token of the session is missing or wrong")
