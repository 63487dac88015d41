"""Readiness: what it says about changes that do not reach the nodes."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.store.write_probe import WriteProbe
from keyturn_credentials.web.readiness import Readiness
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.registry import FleetRegistry

FULL = "the database failed: the disk is full (SQLITE_FULL)"


@dataclass
class Head:
    stamped_at: int
    trusted: bool = True


@dataclass
class View:
    head: Head | None
    now: int = 100_000


@dataclass
class Surroundings:
    """The probe, the registry and the relay loop, as far as readiness asks them."""

    found: str | None
    seen: View | None
    last_error: str | None = None

    async def failure(self) -> str | None:
        return self.found

    async def view(self) -> Any:
        if self.seen is None:
            raise RedisUnavailableError("refused")
        return self.seen


def readiness(found: str | None, seen: View | None, last_error: str | None = None, **audit: str) -> Readiness:
    around = Surroundings(found, seen, last_error)
    probe, registry = cast("WriteProbe", around), cast("FleetRegistry", around)
    return Readiness(probe, registry, cast("RelayLoop", around), lambda: audit)


NOT_REACHED = {
    "Redis is away": (None, "redis"),
    "an empty Redis": (View(None), "redis"),
    "a foreign Redis": (View(Head(100_000, trusted=False)), "redis"),
    "no relay": (View(Head(90_000)), "relay"),
}


@pytest.mark.parametrize(("seen", "part"), NOT_REACHED.values(), ids=NOT_REACHED)
async def test_changes_are_called_committed_only_if_they_can_be(seen: View | None, part: str) -> None:
    degraded = await readiness(None, seen).degraded()
    assert list(degraded) == [part]
    assert "changes are committed" in degraded[part]
    full = readiness(FULL, seen, last_error=FULL)
    assert await full.not_ready() == {"database": FULL}
    degraded = await full.degraded()
    assert list(degraded) == [part]
    assert "changes are committed" not in degraded[part]
    assert "no change can be committed" in degraded[part]


async def test_nothing_is_said_while_changes_reach_the_nodes() -> None:
    well = readiness(None, View(Head(99_000)))
    assert (await well.not_ready(), await well.degraded()) == ({}, {})


async def test_an_audit_log_that_is_wrong_leaves_it_ready() -> None:
    wrong = readiness(None, View(Head(99_000)), audit="it was changed")
    assert (await wrong.not_ready(), await wrong.degraded()) == ({}, {"audit": "it was changed"})
    assert list(await readiness(None, None, audit="it was changed").degraded()) == ["redis", "audit"]
