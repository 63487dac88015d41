"""A node's side of the protocol: reporting its position, renewing its lease, leaving."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text
from keyturn_shared.fleet.scripts import Scripts
from keyturn_shared.position import Position


class MembershipStatus(StrEnum):
    """Redis' answer to a renewal."""

    RENEWED = "renewed"
    UNTRUSTED = "untrusted"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Renewal:
    """The answer to a renewal.

    ``lease_seconds`` runs from the node's own clock before it asked, and takes effect only once the node has
    applied everything up to ``head``. ``stamp_age``: seconds since the relay last checked the database, where
    the log then stood at ``stated_sequence``; both must be taken from ``statement``, its signed statement
    about the head. ``now``: ms of Redis' clock. Without RENEWED there is no lease; ``head`` is then what
    Redis shows, if anything.
    """

    status: MembershipStatus
    head: Position | None = None
    lease_seconds: float = 0.0
    stamp_age: float = 0.0
    stated_sequence: int = 0
    event_id: str = ""
    statement: bytes = b""
    now: int = 0


class MembershipChannel:
    """A node's membership of the fleet. Every method raises RedisUnavailableError."""

    def __init__(self, scripts: Scripts, node_id: str, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._node_id = node_id
        self._layout = layout or Layout()

    async def renew(self, applied: Position, details: str) -> Renewal:
        """Report the applied position, with details for the fleet view as a JSON object."""
        reply = await self._scripts.run(
            "renew",
            [self._layout.head, self._layout.nodes],
            [self._node_id, applied.epoch, applied.sequence, details],
        )
        status = MembershipStatus(as_text(reply[0]))
        if status is MembershipStatus.EMPTY:
            return Renewal(status)
        head = Position(int(reply[2]), int(reply[3]))
        if status is MembershipStatus.UNTRUSTED:
            return Renewal(status, head)
        return Renewal(
            status,
            head,
            lease_seconds=int(reply[5]) / 1000,
            stamp_age=max(0.0, (int(reply[1]) - int(reply[6])) / 1000),
            event_id=as_text(reply[7]),
            statement=reply[8] or b"",
            now=int(reply[1]),
        )

    async def leave(self) -> None:
        """Report that this node has stopped answering. Call it after the last answer."""
        await self._scripts.run("leave", [self._layout.nodes], [self._node_id])
