"""An event applier with its targets, and events for it."""

from collections.abc import Iterable

from keyturn_shared.events import ClientUpdated, encode_event
from keyturn_shared.position import Position
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_verifier.replica.event_applier import EventApplier


class States:
    """Records for each field the newest sequence at which it was invalidated."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []
        self.all = 0

    def forget(self, fields: Iterable[str]) -> None:
        self.forgotten += fields

    def forget_all(self) -> None:
        self.all += 1


class Believing:
    """A log in which everything is genuine."""

    def __init__(self) -> None:
        self.floors: list[tuple[str, int]] = []
        self.ids: list[str] = []
        self.forged: set[Position] = set()

    def event(self, at: Position, payload: bytes) -> bytes:
        if at in self.forged:
            raise ForgedError("")
        return payload

    def applied(self, sequence: int, event_id: str, fields: Iterable[str]) -> None:
        self.floors += [(field, sequence) for field in fields]
        self.ids.append(event_id)


def event(sequence: int) -> bytes:
    return encode_event(
        ClientUpdated(
            sequence=sequence,
            id=str(sequence),
            occurred_at=0,
            touches=(f"field-{sequence}",),
            realm_id="r",
            realm="r",
            client_uuid="c",
            client_id="c",
        )
    )


def applier_at(position: Position) -> tuple[EventApplier, States, list[Position]]:
    states, moves = States(), list[Position]()
    applier = EventApplier(states, Believing(), moves.append)
    applier.observe(position)
    moves.clear()
    states.all = 0
    return applier, states, moves
