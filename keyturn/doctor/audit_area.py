"""The audit log: whether its chain grows, and is signed. ``keyturn audit verify`` reads all of it."""

import asyncio
from typing import Final

from keyturn.doctor.audit_judgement import judge_broken, judge_standings, judge_waiting
from keyturn.doctor.findings import AreaReport, Finding
from keyturn.doctor.scene import Scene
from keyturn_credentials.domain.audit_chain.errors import ChainBrokenError
from keyturn_credentials.store import audit_entries as of_entries
from keyturn_credentials.store.audit_chain import AuditChain
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.errors import map_driver_errors

AMONG: Final = 10_000
"""Newest entries whose standing is looked at."""
_SETTLE_SECONDS: Final = 3.0
"""Time in which an instance that has just started adds what waited."""
_PAUSE_SECONDS: Final = 0.2
_BEFORE_ALL: Final = -(2**63)


async def check_audit(scene: Scene, report: AreaReport) -> None:
    """Check the chain at its end, at a cost that does not depend on its length. Raises
    StoreUnavailableError."""
    chain = AuditChain(scene.settings.encryption_ring(), scene.settings.audit_keys())
    deadline = scene.clock.elapsed() + min(_SETTLE_SECONDS, scene.seconds / 2)
    while True:
        with map_driver_errors():
            async with scene.database.snapshot() as connection:
                number, found = await _look(scene, chain, connection)
        if not found or scene.clock.elapsed() >= deadline:
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    report.summary = "no chain" if number is None else f"chain up to number {number:,}"
    report.extend(found)


async def _look(scene: Scene, chain: AuditChain, connection: Connection) -> tuple[int | None, list[Finding]]:
    """Return the number of the newest entry of the chain, None without one, and what is wrong."""
    found: list[Finding] = []
    number = began_at = None
    try:
        seen = await chain.inspect(connection)
    except ChainBrokenError as error:
        found.append(judge_broken(error))  # that entries wait follows from it
    else:
        number = None if seen.head is None else seen.head.number
        began_at = None if seen.base is None else seen.base.began_at
        waiting = await of_entries.entries(connection, of_entries.unchained_after, id=_BEFORE_ALL, most=1)
        for entry in waiting:
            found += judge_waiting(entry.occurred_at, began_at, scene.clock.now())
    wrong = await connection.execute(of_entries.wrong_of_newest, {"among": AMONG})
    found += judge_standings({row.id: row.chain_standing for row in wrong}, AMONG)
    return number, found
