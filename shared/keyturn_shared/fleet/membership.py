"""A node's side of the protocol: saying what it applied, getting a lease, leaving."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text
from keyturn_shared.fleet.scripts import Scripts
from keyturn_shared.position import Position


class Standing(StrEnum):
    """How Redis answered a renewal."""

    RENEWED = "renewed"
    UNTRUSTED = "untrusted"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Renewal:
    """The answer to a renewal. ``lease_seconds`` runs from the node's own clock before it asked, and counts
    only once the node has applied everything up to ``head``. ``stamp_age``: seconds since the relay last
    looked at the database. Without RENEWED there is no lease; ``head`` is then what Redis shows, if any."""

    standing: Standing
    head: Position | None = None
    lease_seconds: float = 0.0
    stamp_age: float = 0.0
    event_id: str = ""


class MembershipChannel:
    """A node's membership of the fleet. Every method raises RedisUnavailableError."""

    def __init__(self, scripts: Scripts, node_id: str, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._node_id = node_id
        self._layout = layout or Layout()

    async def renew(self, applied: Position, details: str) -> Renewal:
        """Report the position applied, with details for the fleet view as a JSON object."""
        reply = await self._scripts.run(
            "renew",
            [self._layout.head, self._layout.nodes],
            [self._node_id, applied.epoch, applied.sequence, details],
        )
        standing = Standing(as_text(reply[0]))
        if standing is Standing.EMPTY:
            return Renewal(standing)
        head = Position(int(reply[2]), int(reply[3]))
        if standing is Standing.UNTRUSTED:
            return Renewal(standing, head)
        return Renewal(
            standing,
            head,
            lease_seconds=int(reply[5]) / 1000,
            stamp_age=max(0.0, (int(reply[1]) - int(reply[6])) / 1000),
            event_id=as_text(reply[7]),
        )

    async def leave(self) -> None:
        """Say that this node answers nothing any more. Call it after the last answer."""
        await self._scripts.run("leave", [self._layout.nodes], [self._node_id])
