"""The change of the number of partitions: decided, stored, and only then stated to nodes."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from keyturn_credentials.relay.event_log import EventLog, FleetState
from keyturn_credentials.relay.partition_plan import (
    Agreement,
    agreement_after,
    in_force,
    next_partitioning,
)
from keyturn_shared.fleet.partitions import LOG_PARTITION, ONE_PARTITION, Partitioning
from keyturn_shared.fleet.registry import NodeRecord
from keyturn_shared.signed_log.head import HeadStatement

_log = structlog.get_logger(__name__)


class Repartitioning:
    """Brings the fleet to the wanted number of partitions.

    ``tended``: partitions in force, and those that nodes are about to use. ``vouched``: those that can be
    used now, apart from that of the log; ``Partitions`` keeps it.
    """

    def __init__(self, log: EventLog, wanted: int, elapsed: Callable[[], float]) -> None:
        self.tended = ONE_PARTITION
        self.vouched: set[int] = set()
        self._log = log
        self._wanted = wanted
        self._elapsed = elapsed
        self._agreed: Agreement | None = None

    async def advance(
        self, state: FleetState, stated: HeadStatement | None, living: Iterable[NodeRecord]
    ) -> FleetState | None:
        """Take the step that is due, and store it. Return the state that may be stated to nodes; None if
        somebody else has changed it.

        ``stated``: the relay's last statement, if it can be read. ``living``: nodes.
        Raises the store's errors.
        """
        nodes, now = tuple(living), self._elapsed()
        known = in_force(state.partitioning, None if stated is None else stated.partitioning, nodes)
        self._agreed = agreement_after(self._agreed, known, nodes, now)
        decided = next_partitioning(known, self._wanted, self._agreed, now)
        if state.epoch == 0:  # no node has ever marked an assertion
            decided = Partitioning((self._wanted,))
        self.tended = decided
        new = decided.all - known.all - {LOG_PARTITION}
        if state.epoch > 0 and not new <= self.vouched:
            decided = known  # nodes hear of the new ones once they can use them
        partitioned = replace(state, partitioning=decided)
        if decided != state.partitioning:
            if not await self._log.replace_fleet_state(state, partitioned):
                return None
            _log.info("partitions_changed", before=str(state.partitioning), after=str(decided))
        return partitioned
