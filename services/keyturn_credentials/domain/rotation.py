"""A rotation of a client's credential, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from keyturn_credentials.domain.rotation_failure import Failure


class Kind(StrEnum):
    """Kind of credential. KEY: the client's key pair, of which keyturn has only the public key."""

    SECRET = "secret"  # noqa: S105 - a kind
    KEY = "key"


class Reason(StrEnum):
    """Reason of a rotation. CLIENT: the client has registered its next key by itself. COMPROMISED: somebody
    else knows the credential, so there is no overlap."""

    POLICY = "policy"
    CLIENT = "client"
    MANUAL = "manual"
    COMPROMISED = "compromised"


class State(StrEnum):
    """PREPARED: the successor is accepted. DELIVERED: the client has it. IN_USE: the client has authenticated
    with it. RETIRED: the former credential has ended. DONE: every node refuses it. ROLLED_BACK: the former
    credential is the only one again. CANCELLED and ROLLED_BACK: by somebody. FAILED: by circumstances."""

    PLANNED = "planned"
    PREPARED = "prepared"
    DELIVERED = "delivered"
    IN_USE = "in_use"
    RETIRED = "retired"
    DONE = "done"
    CANCELLED = "cancelled"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        return self in _OPEN


_OPEN: Final = frozenset({State.PLANNED, State.PREPARED, State.DELIVERED, State.IN_USE, State.RETIRED})


class WaitsFor(StrEnum):
    """The condition of the next move. TURN: fewer rotations of the realm under way. SUCCESSOR: the client
    registers or publishes its next key, or publishes it again. NODES: all nodes apply the change. USE: the
    client authenticates with the successor. OVERLAP: the end of the overlap. WITHDRAWAL: the client stops
    publishing its former key. PERSON: it is paused."""

    START = "start"
    WINDOW = "window"
    TURN = "turn"
    SUCCESSOR = "successor"
    NODES = "nodes"
    DELIVERY = "delivery"
    USE = "use"
    OVERLAP = "overlap"
    WITHDRAWAL = "withdrawal"
    PERSON = "person"


class Alert(StrEnum):
    """Something for a person, after the deadline or the overlap. UNUSED: the client still uses the former
    credential. MISSING: it has not registered or published its next key. PUBLISHED: it still publishes the
    former key."""

    UNUSED = "successor_unused"
    MISSING = "successor_missing"
    PUBLISHED = "former_published"


@dataclass(frozen=True, slots=True)
class Move:
    """An entry of the history. ``at``: NumericDate seconds. ``sequence``: the event that it wrote, if any."""

    state: State
    at: float
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class RotatedKeys:
    """Keys of a rotation, by RFC 7638 thumbprint. ``former``: None until they are known. ``published``: the
    client publishes its keys at a URL. ``certificate``: the attributes with the former key, if they were a
    certificate's or public key's, to restore them."""

    former: tuple[str, ...] | None = None
    successors: tuple[str, ...] = ()
    published: bool = False
    certificate: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Times are NumericDate seconds.

    ``start_at``: not prepared before. ``deadline``: when somebody is alerted that the successor is not in
    use, or not there. ``retire_at``: when the former credential ends. ``former_expires_at``: expiry that the
    former credential had, to restore it. ``sequence``: the newest event of the rotation. ``overlap``: seconds
    for which both are accepted once the successor is in use. ``delivered``: somebody has confirmed that the
    client has it. ``self_service``: the client takes it itself. ``keys``: of a rotation of keys.
    ``disabled_since``: when the rotation noticed that the client is disabled. ``failed_steps``: attempts to
    take the next step. ``failure``: why it has failed.
    """

    id: str
    realm_id: str
    client_uuid: str
    kind: Kind
    reason: Reason
    created_at: float
    start_at: float
    overlap: int
    history: tuple[Move, ...]
    paused: bool = False
    delivered: bool = False
    self_service: bool = False
    alert: Alert | None = None
    deadline: float | None = None
    retire_at: float | None = None
    former_expires_at: float | None = None
    keys: RotatedKeys | None = None
    disabled_since: float | None = None
    failed_steps: int = 0
    failure: Failure | None = None

    @property
    def state(self) -> State:
        return self.history[-1].state

    @property
    def state_since(self) -> float:
        return self.history[-1].at

    @property
    def sequence(self) -> int | None:
        return next((move.sequence for move in reversed(self.history) if move.sequence is not None), None)

    @property
    def is_taken(self) -> bool:
        """True if the client has the successor: somebody says so, or it was used."""
        return self.delivered or any(move.state is State.IN_USE for move in self.history)

    @property
    def has_begun(self) -> bool:
        """True if there was a successor beside the former credential."""
        return any(move.state is State.PREPARED for move in self.history)

    def moved(self, state: State, at: float) -> Self:
        """Return it in another state, before its event is known."""
        return replace(self, history=(*self.history, Move(state, at)))

    def with_sequence(self, sequence: int | None) -> Self:
        """Return it with the event of its newest move."""
        return replace(self, history=(*self.history[:-1], replace(self.history[-1], sequence=sequence)))
