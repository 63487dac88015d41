"""Wiring of rotations: what runs them, and what callers and clients do with them."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from keyturn_credentials.operations.key_rotations import KeyRotationOperations
from keyturn_credentials.operations.own_rotations import OwnRotationOperations
from keyturn_credentials.operations.rotation_loop import RotationLoop
from keyturn_credentials.operations.rotation_runner import FetchedKeys, HasApplied, RotationRunner
from keyturn_credentials.operations.used_credentials import LastUsed
from keyturn_credentials.operations.wiring import Operations
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock


@dataclass(frozen=True, slots=True)
class RotationParts:
    """``keys``: rotations of keys that callers begin. ``own``: for clients themselves."""

    loop: RotationLoop
    keys: KeyRotationOperations
    own: OwnRotationOperations


def build_rotations(
    store: Store,
    operations: Operations,
    clock: Clock,
    metrics: CollectorRegistry,
    *,
    last_used: LastUsed,
    has_applied: HasApplied,
    fetched: FetchedKeys,
) -> RotationParts:
    changes = operations.rotation_changes
    runner = RotationRunner(
        store,
        changes,
        operations.policy_sweep,
        clock,
        last_used,
        has_applied,
        fetched,
    )
    keys = KeyRotationOperations(store, changes, fetched, last_used)
    return RotationParts(
        RotationLoop(runner, metrics, elapsed=clock.elapsed),
        keys,
        OwnRotationOperations(store, operations.rotations, keys, clock, has_applied),
    )
