"""Two instances of the service that run the rotations of one realm."""

import pytest

from keyturn_credentials.operations.rotation_runner import RotationRunner
from keyturn_credentials.operations.wiring import build_operations
from keyturn_credentials.store.unit_of_work import Store
from tests.conformance.store.conftest import ACTOR, Instance
from tests.conformance.store.rotations.scene import POLICY, Fleet, Scene
from tests.testkit.clocks import SetClock


@pytest.fixture
async def scene(instance: Instance, other: Instance) -> Scene:
    clock, fleet, runners, stores = SetClock(), Fleet(), [], []
    for each in (instance, other):
        store = Store(each.database, clock, instance.settings.encryption_ring())
        operations = build_operations(store, clock, instance.settings)
        changes, sweep = operations.rotation_changes, operations.policy_sweep
        runners.append(RotationRunner(store, changes, sweep, clock, fleet, fleet.has_applied, fleet.fetched))
        stores.append((store, operations))
    scene = Scene(clock, *stores[0], fleet, runners)
    await scene.operations.realms.create(ACTOR, {"realm": "acme", "attributes": POLICY})
    return scene
