"""Agreement after a storm: every process has a lease and has applied the newest event."""

import asyncio
from typing import Any, Final

from tests.testkit.admin_client import Admin
from tests.testkit.http_client import NoAnswerError

_SETTLE_SECONDS: Final = 180.0


async def unsettled(admin: Admin, nodes: int) -> list[str]:
    """Return what is wrong with the fleet, if it stays so."""
    until = asyncio.get_running_loop().time() + _SETTLE_SECONDS
    view: dict[str, Any] = {}
    while asyncio.get_running_loop().time() < until:
        try:
            view = await admin.fleet()
        except NoAnswerError:
            view = {}
        if _settled(view, nodes):
            return []
        await asyncio.sleep(0.2)
    return [f"the fleet did not settle: {view}"]


def _settled(view: dict[str, Any], nodes: int) -> bool:
    """Return whether all agree; killed nodes may still be listed."""
    held = [node for node in view.get("nodes", []) if node["lease"] == "held"]
    return bool(view.get("complete")) and len(held) == nodes and all(not node["behind"] for node in held)
