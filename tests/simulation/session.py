"""Runs of many seeds under the same conditions."""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import structlog

from keyturn_credentials.relay import claimants, partition_plan, relay
from keyturn_shared.fleet import relay_channel
from tests.simulation.protections import faults_for, without
from tests.simulation.redis_model.branches import Taken
from tests.simulation.settings import ALONE_MS, LEASE, RELAY_LEASE_SECONDS, STREAM_LENGTH
from tests.simulation.signatures import signatures_kept
from tests.simulation.world import Outcome, World, uncollected

_CRITICAL = 50

Trace = Callable[[str], None]


@contextmanager
def session(
    missing: Iterable[str] = (),
    *,
    intruded: bool = False,
    faults: Collection[str] = (),
    dropped: Collection[int] = (),
    taken: Taken | None = None,
    sampled: int = 1,
) -> Iterator[Callable[[int, Trace | None], Outcome]]:
    """Yield a function that runs a seed, without the named protections.

    ``intruded``: with an attacker who writes to Redis. ``faults``: only these, by default those that show
    what is missing. ``dropped``: without the faults of these numbers. ``taken``: at the end receives the
    branches of the scripts taken, by one seed in ``sampled``. Raises KeyError for an unknown name.
    """
    missing = list(missing)
    faults = faults or faults_for(missing)
    with (
        signatures_kept() as forget,
        without(missing, counting=taken is not None) as engine,
        patch.object(relay, "LEASE_SECONDS", RELAY_LEASE_SECONDS),
        patch.object(relay_channel, "STREAM_LENGTH", STREAM_LENGTH),
        patch.object(relay_channel, "_ALONE_MS", ALONE_MS),
        patch.object(claimants, "_ATTEMPT_SECONDS", 5 * ALONE_MS / 1000),
        patch.object(relay, "_LEAD_SECONDS", RELAY_LEASE_SECONDS / 3),
        patch.object(partition_plan, "_MARGIN_SECONDS", 1.5 * LEASE.seconds),
        _quiet(),
        frozen(),
    ):

        def run(seed: int, trace: Trace | None = None) -> Outcome:
            forget()
            engine.count(branches=seed % sampled == 0)
            with uncollected():
                return World(seed, engine, trace, intruded=intruded, faults=faults, dropped=dropped).run()

        yield run
        if taken is not None:
            taken.add(engine.taken())


@contextmanager
def frozen() -> Iterator[None]:
    """Exclude existing objects from garbage collection, so that it does not scan them after each run."""
    if gc.get_freeze_count():
        yield  # for callers with many sessions
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the services' warnings about every fault."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
