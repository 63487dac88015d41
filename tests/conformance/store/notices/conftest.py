"""Two instances of the service that keep the notices of one realm."""

import pytest

from keyturn_credentials.operations.wiring import build_operations
from keyturn_credentials.store.unit_of_work import Store
from tests.conformance.store.conftest import ACTOR, Instance
from tests.conformance.store.notices.scene import Fetched, Posted, Scene
from tests.testkit.clocks import SetClock


@pytest.fixture
async def scene(instance: Instance, other: Instance) -> Scene:
    clock = SetClock(1_800_000_000.0)
    stores = [Store(each.database, clock, instance.settings.encryption_ring()) for each in (instance, other)]
    operations = build_operations(stores[0], clock, instance.settings)
    scene = Scene(clock, stores[0], operations, Fetched(), Posted())
    scene.instances = [scene.instance(store) for store in stores]
    await operations.realms.create(ACTOR, {"realm": "acme"})
    return scene
