"""The relay's record of nodes that may mark assertions, for the moment when Redis loses its own."""

from collections.abc import Callable
from typing import Final

import structlog

from keyturn_shared.fleet.claimants import Claimants, NotKept, Order, admitted, orders
from keyturn_shared.fleet.registry import NodeRecord
from keyturn_shared.fleet.relay_channel import ALONE_SECONDS, RelayChannel

KEEP_SECONDS: Final = 0.25
_ATTEMPT_SECONDS: Final = 5 * ALONE_SECONDS
"""An order is valid for ``ALONE_SECONDS`` in Redis; this relay may have sent its order earlier."""

_log = structlog.get_logger(__name__)


class ClaimantKeeper:
    """Admits nodes as claimants, and knows all of them at any time.

    It knows a node before Redis lets it mark assertions, and for as long as Redis does. This holds while one
    relay leads without interruption; when another one may have led, ``forget`` is called, and Redis' next
    state is a fresh start.
    """

    def __init__(self, channel: RelayChannel, keeper: str, elapsed: Callable[[], float]) -> None:
        self._channel = channel
        self._keeper = keeper
        self._elapsed = elapsed
        self._known: Claimants | None = None
        self._attempted: dict[str, float] = {}
        self._due = 0.0
        self.living: tuple[NodeRecord, ...] = ()
        """The nodes with a living record, at the last look."""

    @property
    def known(self) -> Claimants | None:
        """Return all nodes that may have accepted an assertion; None if unknown."""
        if self._known is None:
            return None
        return Claimants(self._known.nodes | self._attempted.keys(), self._known.forgotten_at)

    def forget(self) -> None:
        """Forget everything: another relay may have admitted nodes."""
        self._known = None

    async def keep_when_due(self) -> bool:
        """Run ``keep`` a few times a second."""
        return await self.keep() if self._elapsed() >= self._due else True

    async def keep(self) -> bool:
        """Read Redis, and act on it. Raises RedisUnavailableError. Return False when Redis is not trusted: it
        was lost, admits no node, and the known claimants stay correct."""
        self._due = self._elapsed() + KEEP_SECONDS
        view = await self._channel.read_claimants()
        if view.head is None or not view.head.trusted:
            return False
        self.living = tuple(node for node in view.nodes if node.expires_at > view.now)
        found = orders(view)
        now = self._elapsed()
        self._attempted = {node: at for node, at in self._attempted.items() if now - at < _ATTEMPT_SECONDS}
        # Add them before Redis lets them mark assertions: its answer may be lost.
        self._attempted.update(dict.fromkeys(admitted(found), now))
        kept = await self._channel.keep_claimants(view, self._keeper, found)
        if kept is NotKept.UNTRUSTED:
            return False
        self._known = kept if isinstance(kept, Claimants) else None
        for order, node_id in found:
            _log.info("claimant", order=order.value, node=node_id)
            if order is Order.FORGET and view.awaited[node_id]:
                _log.warning("replay_memory_lost", node=node_id, barrier=view.head.replay_barrier)
        return True
