"""The record of Redis in a restored database: it claims nothing about nodes. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.relay.reconciliation import next_epoch
from keyturn_shared.fleet.partitions import MAX_PARTITIONS


def restored_fleet_state(state: FleetState, now: float) -> FleetState:
    """Return the state that a restored database begins with, given the one in the backup.

    It is what a relay leaves that has reserved the next epoch and was killed: Redis is behind it, so the next
    relay opens an epoch, and nothing says that the fleet was shut down, or never had a node. ``now``:
    NumericDate seconds.
    """
    return replace(state, epoch=next_epoch(state, 0, now), closed_nonce=None)


def restored_partition_epochs(epochs: Mapping[int, int], now: float) -> dict[int, int]:
    """Return the newest epochs of all partitions of used assertions, also of those that the backup does not
    know: they may have been in use since."""
    return {
        number: next_epoch(FleetState(epochs.get(number, 0)), 0, now)
        for number in range(1, MAX_PARTITIONS + 1)
    }
