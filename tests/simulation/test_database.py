"""The simulated database, where it decides what a fault may do."""

import random
from functools import partial
from typing import Any

import pytest

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.relay.event_log import FleetState
from tests.simulation.database import Database, DatabaseLink
from tests.simulation.network import Network, Weather
from tests.testkit.simulated_process import Process, SimulatedClock
from tests.testkit.virtual_loop import VirtualLoop


@pytest.mark.parametrize("replaced", [False, True])
def test_a_statement_on_its_way_is_not_carried_out_in_a_database_that_was_restored(*, replaced: bool) -> None:
    """Its connection was to the one before."""
    loop = VirtualLoop.create()
    database = Database(loop.time)
    network = Network(loop, random.Random(1), Weather(usual_delay=0.1), lambda line: None)
    process = Process(loop, "one", SimulatedClock(loop.time, wall=0.0))
    outcomes: list[Any] = []

    async def write() -> None:
        try:
            link = DatabaseLink(process, network, database)
            outcomes.append(await link.replace_fleet_state(FleetState(), FleetState(1)))
        except StoreUnavailableError as error:
            outcomes.append(type(error))

    if replaced:
        loop.call_later(0.001, partial(database.restore, database.back_up()))
    process.spawn(write())
    loop.run(5.0)
    assert outcomes == [StoreUnavailableError if replaced else True]
    assert database.fleet_state.epoch == (0 if replaced else 1)
