"""Ports through which the endpoints use the service they run in."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, TypeVar

from keyturn_shared.fleet.replay import AssertionUse
from keyturn_shared.oauth.entities import ClientState, RealmState

T = TypeVar("T")


class Subject(NamedTuple):
    """A subject at the trusted issuer with this alias."""

    alias: str
    name: str


class ReadSet(Protocol):
    """The realms and clients that one decision reads."""

    async def realm(self, name: str) -> RealmState | None:
        """Return the realm, or None if it certainly does not exist."""
        ...

    async def client(self, realm: RealmState, client_id: str) -> ClientState | None:
        """Return a client of the realm, or None if it certainly does not exist."""
        ...

    async def client_id_of(self, realm: RealmState, subject: Subject) -> str | None:
        """Return the id of the client that the subject stands for, or None if there certainly is none."""
        ...

    async def equalize_time(self, realm: RealmState, client_id: str, subject: Subject | None = None) -> None:
        """Spend the time of reading the client, and the subject by which it was found, unless this decision
        has read them. Call it before a refusal."""
        ...


class Decider(Protocol):
    """Makes decisions that hold at the moment they are made."""

    def require_lease(self) -> None:
        """Raise an UnavailableError unless an answer may be given now."""
        ...

    async def decide(self, decision: Callable[[ReadSet], Awaitable[T]]) -> T:
        """Return the outcome of a decision, a value or a refusal. The decision may run more than once."""
        ...


class StatesAtHand(Protocol):
    """States in this process's memory, which answer without waiting."""

    def realm_at_hand(self, name: str) -> RealmState | None:
        """Return the realm's current state, if it is in memory."""
        ...

    def client_at_hand(self, realm: RealmState, client_id: str) -> ClientState | None:
        """Return the current state of a client of the realm, if it is in memory."""
        ...


class UsedAssertions(Protocol):
    """Memory of single-use tokens."""

    async def mark_used(self, use: AssertionUse) -> None:
        """Mark one assertion as used. Raises ReplayedError, and errors of ``is_unavailable``."""
        ...


class CredentialsInUse(Protocol):
    """Record of credentials in use."""

    def note(self, client_uuid: str, name: str) -> None:
        """Note that a credential was accepted now (``keyturn_shared.fleet.last_used``)."""
        ...
