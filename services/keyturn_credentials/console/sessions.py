"""Console sessions, encrypted in a cookie, so that any instance can read them and none must store them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from keyturn_credentials.oidc.flow import Flow
from keyturn_shared.clock import Clock
from keyturn_shared.sealing import KeyRing, SealError

SESSION_SECONDS: Final = 1800
"""Duration of a session that is not renewed."""
LONGEST_SESSION_SECONDS: Final = 12 * 3600
"""Time after the sign-in beyond which no session is renewed."""
TICKET_SECONDS: Final = 300
_COOKIE: Final = "keyturn_session"
_FLOW_COOKIE: Final = "keyturn_sign_in"
_SESSION_CONTEXT: Final = "console-session"
_TICKET_CONTEXT: Final = "console-ticket"
_FLOW_CONTEXT: Final = "console-sign-in"


def cookie_name(*, secure: bool) -> str:
    """Return the cookie's name. Over https no other host of the domain can set such a cookie (RFC 6265bis
    section 4.1.3.2)."""
    return f"__Host-{_COOKIE}" if secure else _COOKIE


def flow_cookie_name(*, secure: bool) -> str:
    """Return the name of the cookie with a person's sign-in under way."""
    return f"__Host-{_FLOW_COOKIE}" if secure else _FLOW_COOKIE


class SessionPerson(msgspec.Struct, frozen=True, kw_only=True):
    """The person of a session. ``provider``: see ``provider_key``; ``groups``: keys of those with roles;
    ``sid``: digest of the session at the provider; ``asked_at``: when the sign-in began, and ``seen``: the
    last end that was known of sessions of the person or rights in its realms, 0 for none; NumericDate."""

    provider: str
    subject: str
    name: str
    groups: tuple[str, ...]
    sid: str | None
    asked_at: float
    seen: float


class ConsoleSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session of a client, or of a ``person`` in the realm whose pages come first. ``expires_at`` and
    ``began``: NumericDate seconds; ``began`` is 0 in a session of a release that did not renew them.

    ``csrf`` must be sent back as a header with every change: another site can make a browser send the cookie,
    but not that header. ``secret_made``: creation of the client's secret; ``number``: identifies the session
    for sign-out; ``generation``: how often the client's tokens had been ended; ``longest``: seconds for which
    it can be renewed; ``by_link``: begun with a one-time link.
    """

    realm: str
    client_uuid: str
    client_id: str
    expires_at: float
    csrf: str
    secret_made: float
    number: str
    generation: int = 0
    began: float = 0.0
    longest: float = LONGEST_SESSION_SECONDS
    by_link: bool = False
    person: SessionPerson | None = None

    @property
    def began_at(self) -> float:
        """Time of the sign-in in NumericDate seconds."""
        return self.began or self.expires_at - SESSION_SECONDS

    @property
    def ends_at(self) -> float:
        """Time until which the session can be renewed, in NumericDate seconds."""
        return self.began_at + self.longest


class ConsoleTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link: the client it signs in, its expiry, and the number under which its use is
    remembered."""

    realm: str
    client_id: str
    expires_at: float
    number: str


@dataclass(frozen=True, slots=True)
class SessionSealer:
    """Makes and reads session cookies and one-time tickets."""

    ring: KeyRing
    clock: Clock
    random: Callable[[], str] = secrets.token_urlsafe

    def open_session(
        self,
        realm: str,
        client_uuid: str,
        client_id: str,
        secret_made: float,
        generation: int = 0,
        *,
        by_link: bool = False,
    ) -> tuple[ConsoleSession, str]:
        """Create a client's session that begins now, and its cookie's value."""
        now = self.clock.now()
        session = ConsoleSession(
            realm=realm,
            client_uuid=client_uuid,
            client_id=client_id,
            expires_at=now + SESSION_SECONDS,
            began=now,
            csrf=self.random(),
            secret_made=secret_made,
            number=self.random(),
            generation=generation,
            by_link=by_link,
        )
        return session, self._seal(session)

    def open_person_session(
        self, realm: str, person: SessionPerson, longest: float
    ) -> tuple[ConsoleSession, str]:
        """Create a person's session that begins now and lasts at most ``longest`` seconds, and its cookie's
        value."""
        now = self.clock.now()
        session = ConsoleSession(
            realm=realm,
            client_uuid="",
            client_id="",
            expires_at=now + min(SESSION_SECONDS, longest),
            began=now,
            csrf=self.random(),
            secret_made=0.0,
            number=self.random(),
            longest=longest,
            person=person,
        )
        return session, self._seal(session)

    def renew_session(self, session: ConsoleSession) -> tuple[ConsoleSession, str]:
        """Return the session with a later expiry, at most ``ends_at``, and its cookie's value."""
        until = min(self.clock.now() + SESSION_SECONDS, session.ends_at)
        renewed = msgspec.structs.replace(
            session, expires_at=max(until, session.expires_at), began=session.began_at
        )
        return renewed, self._seal(renewed)

    def _seal(self, session: ConsoleSession) -> str:
        return self.ring.seal(msgspec.json.encode(session), _SESSION_CONTEXT)

    def read_session(self, cookie: str) -> ConsoleSession | None:
        """Return the session of a cookie; None if it is forged, altered or expired."""
        try:
            session = msgspec.json.decode(self.ring.open(cookie, _SESSION_CONTEXT), type=ConsoleSession)
        except (SealError, msgspec.MsgspecError):
            return None
        return session if session.expires_at > self.clock.now() else None

    def seal_flow(self, flow: Flow) -> str:
        """Return a person's sign-in under way, for a cookie."""
        return self.ring.seal(msgspec.json.encode(flow), _FLOW_CONTEXT)

    def read_flow(self, cookie: str) -> Flow | None:
        """Return the sign-in of a cookie; None if it is forged or altered. The caller must check its age."""
        try:
            return msgspec.json.decode(self.ring.open(cookie, _FLOW_CONTEXT), type=Flow)
        except (SealError, msgspec.MsgspecError):
            return None

    def issue_ticket(self, realm: str, client_id: str) -> str:
        """Create a ticket for one sign-in within the next minutes."""
        ticket = ConsoleTicket(
            realm=realm,
            client_id=client_id,
            expires_at=self.clock.now() + TICKET_SECONDS,
            number=self.random(),
        )
        return self.ring.seal(msgspec.json.encode(ticket), _TICKET_CONTEXT)

    def read_ticket(self, text: str) -> ConsoleTicket | None:
        """Return the ticket, if it is genuine and not expired. The caller must check whether it was used
        before."""
        try:
            ticket = msgspec.json.decode(self.ring.open(text, _TICKET_CONTEXT), type=ConsoleTicket)
        except (SealError, msgspec.MsgspecError):
            return None
        return ticket if ticket.expires_at > self.clock.now() else None
