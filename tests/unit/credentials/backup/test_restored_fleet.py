"""A restored database begins with an epoch that is reserved, and claims nothing about nodes."""

import pytest

from keyturn_credentials.backup.restored_fleet import restored_fleet_state, restored_partition_epochs
from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.relay.reconciliation import Action, Comparison, decide
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.partitions import MAX_PARTITIONS, Partitioning
from keyturn_shared.position import Position

NOW = 1_700_000_000.0
HEAD = Head(
    position=Position(7, 9),
    event_id="nine",
    complete=True,
    trusted=True,
    lease_ms=10_000,
    margin_ms=1_000,
    waits_after=0,
    opened_at=0,
    base_sequence=1,
    stamped_at=0,
    replay_barrier=0,
    closed_nonce=None,
)
"""A Redis that is equal to the database."""


@pytest.mark.parametrize(
    ("state", "epoch"),
    [
        (FleetState(), 1_700_000_000_000),
        (FleetState(7, "closed"), 1_700_000_000_000),
        (FleetState(1_800_000_000_000, None, Partitioning((1, 48))), 1_800_000_000_001),
    ],
)
def test_its_epoch_is_newer_and_no_shutdown_is_noted(state: FleetState, epoch: int) -> None:
    assert restored_fleet_state(state, NOW) == FleetState(epoch, None, state.partitioning)


def test_partitions_that_the_backup_does_not_know_may_have_been_in_use() -> None:
    epochs = restored_partition_epochs({2: 1_800_000_000_000}, NOW)
    assert set(epochs) == set(range(1, MAX_PARTITIONS + 1))
    assert (epochs[1], epochs[2]) == (1_700_000_000_000, 1_800_000_000_001)


def test_whatever_redis_has_a_new_epoch_is_written_from_the_database() -> None:
    former = FleetState(HEAD.position.epoch)
    equal = Comparison(HEAD, former, HEAD.position.sequence, HEAD.event_id, is_signed=True)
    assert decide(equal).action is Action.CONTINUE
    state = restored_fleet_state(former, NOW)
    found = decide(Comparison(HEAD, state, HEAD.position.sequence, HEAD.event_id, is_signed=True))
    assert found.action is Action.OPEN
