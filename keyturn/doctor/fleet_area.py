"""The fleet: the records of its nodes."""

import asyncio
from importlib.metadata import version
from typing import Final

from keyturn.doctor.findings import AreaReport
from keyturn.doctor.fleet_judgement import Expected, is_behind, judge_nodes
from keyturn.doctor.scene import Scene
from keyturn.terminal_text import counted
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.scripts import RedisScripts

_SETTLE_SECONDS: Final = 3.0
"""Time in which nodes apply what is published just now."""
_PAUSE_SECONDS: Final = 0.2
_UNTRUSTED: Final = "the log in Redis is not usable, so no node can renew its lease"


async def check_fleet(scene: Scene, report: AreaReport) -> None:
    """Check the nodes. Raises RedisUnavailableError."""
    registry = FleetRegistry(RedisScripts(scene.redis))
    deadline = scene.clock.elapsed() + min(_SETTLE_SECONDS, scene.seconds / 2)
    view = await registry.view()
    sequence = 0 if view.head is None else view.head.position.sequence
    while any(is_behind(node, view, sequence) for node in view.nodes) and scene.clock.elapsed() < deadline:
        await asyncio.sleep(_PAUSE_SECONDS)
        view = await registry.view()
    report.summary = counted(len(view.nodes), "node")
    if view.head is None or not view.head.trusted:
        report.skipped = _UNTRUSTED
        return
    expected = Expected(sequence, scene.settings.fleet_ring().current_key_id, version("keyturn"))
    report.extend(judge_nodes(view, expected))
