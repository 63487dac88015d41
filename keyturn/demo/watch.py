"""Times at which each node had applied a change."""

import time
from collections.abc import Awaitable

from keyturn.demo.operator import Change, Operator


async def watched(
    operator: Operator, realm: str, change: Awaitable[Change]
) -> tuple[Change, float, dict[str, float]]:
    """Return the change, the ms until its call returned, and per node the ms until it had reported the
    change.

    A node's report is as old as the fleet's view says. Its time is capped at the moment the call returned,
    because its answer counted the node.
    """
    begun = time.perf_counter()
    made = await change
    returned = (time.perf_counter() - begun) * 1000
    nodes = (await operator.fleet(realm))["nodes"]
    looked = (time.perf_counter() - begun) * 1000
    latest = returned if made.confirmed else looked
    return (
        made,
        returned,
        {
            node["id"]: min(latest, max(0.0, looked - node["renewed_ms_ago"]))
            for node in nodes
            if node["applied"] >= made.sequence
        },
    )
