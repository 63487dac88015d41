"""Console sessions, encrypted in a cookie, so that any instance can read them and none must store them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from keyturn_shared.clock import Clock
from keyturn_shared.sealing import KeyRing, SealError

SESSION_SECONDS: Final = 1800
TICKET_SECONDS: Final = 300
_COOKIE: Final = "keyturn_session"
_SESSION_CONTEXT: Final = "console-session"
_TICKET_CONTEXT: Final = "console-ticket"


def cookie_name(*, secure: bool) -> str:
    """Return the cookie's name. Over https no other host of the domain can set such a cookie (RFC 6265bis
    section 4.1.3.2)."""
    return f"__Host-{_COOKIE}" if secure else _COOKIE


class ConsoleSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session. ``expires_at``: NumericDate seconds.

    ``csrf`` must be sent back as a header with every change: another site can make a browser send the cookie,
    but not that header. ``secret_made``: creation of the client's secret; ``number``: identifies the session
    for sign-out; ``generation``: how often the client's tokens had been ended.
    """

    realm: str
    client_uuid: str
    client_id: str
    expires_at: float
    csrf: str
    secret_made: float
    number: str
    generation: int = 0

    @property
    def began_at(self) -> float:
        """Start of the session in NumericDate seconds."""
        return self.expires_at - SESSION_SECONDS


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
        self, realm: str, client_uuid: str, client_id: str, secret_made: float, generation: int = 0
    ) -> tuple[ConsoleSession, str]:
        """Create a session that begins now, and its cookie's value."""
        session = ConsoleSession(
            realm=realm,
            client_uuid=client_uuid,
            client_id=client_id,
            expires_at=self.clock.now() + SESSION_SECONDS,
            csrf=self.random(),
            secret_made=secret_made,
            number=self.random(),
            generation=generation,
        )
        return session, self.ring.seal(msgspec.json.encode(session), _SESSION_CONTEXT)

    def read_session(self, cookie: str) -> ConsoleSession | None:
        """Return the session of a cookie; None if it is forged, altered or expired."""
        try:
            session = msgspec.json.decode(self.ring.open(cookie, _SESSION_CONTEXT), type=ConsoleSession)
        except (SealError, msgspec.MsgspecError):
            return None
        return session if session.expires_at > self.clock.now() else None

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
