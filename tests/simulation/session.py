"""Runs of many seeds under the same conditions."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import structlog

from keyturn_credentials.relay import relay
from keyturn_shared.fleet import relay_channel
from tests.simulation.protections import without
from tests.simulation.settings import ALONE_MS, RELAY_LEASE_SECONDS, STREAM_LENGTH
from tests.simulation.world import Outcome, World, uncollected

_CRITICAL = 50

Trace = Callable[[str], None]


@contextmanager
def session(missing: Iterable[str] = ()) -> Iterator[Callable[[int, Trace | None], Outcome]]:
    """Gives what runs a seed, without the protections named. Raises KeyError for a name that is none."""
    with (
        without(missing) as engine,
        patch.object(relay, "LEASE_SECONDS", RELAY_LEASE_SECONDS),
        patch.object(relay_channel, "STREAM_LENGTH", STREAM_LENGTH),
        patch.object(relay_channel, "_ALONE_MS", ALONE_MS),
        _quiet(),
    ):

        def run(seed: int, trace: Trace | None = None) -> Outcome:
            with uncollected():
                return World(seed, engine, trace).run()

        yield run


@contextmanager
def _quiet() -> Iterator[None]:
    """The services warn of every fault, and there are many."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
