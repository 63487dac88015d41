"""Instances of the service on one database with rotations, whose time and fleet a test controls."""

from dataclasses import dataclass, field
from typing import Any, Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Rotation, State
from keyturn_credentials.operations.key_rotations import KeyRotationOperations
from keyturn_credentials.operations.own_rotations import OwnRotationOperations
from keyturn_credentials.operations.rotation_runner import RotationRunner
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.operations.wiring import Operations
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.last_used import name_of_key, name_of_secret
from tests.conformance.store.conftest import ACTOR
from tests.testkit.clocks import SetClock

DAY: Final = 86_400
POLICY: Final = {
    "keyturn.secret.expiration-period": str(30 * DAY),
    "keyturn.secret.rotated-expiration-period": str(2 * DAY),
}


@dataclass
class Fleet:
    """Nodes that have applied every event or not, and have accepted secrets of clients."""

    applies: bool = True
    answers: bool = True
    used: dict[str, dict[str, float]] = field(default_factory=dict)
    at_url: frozenset[str] | None = None
    """Thumbprints of the keys that it has fetched from a client's URL."""

    async def read(self, client_uuid: str) -> dict[str, float]:
        if not self.answers:
            raise RedisUnavailableError("it is away")
        return dict(self.used.get(client_uuid, {}))

    async def fetched(self, realm: Realm, client: Client) -> frozenset[str] | None:
        return self.at_url if self.answers and client.jwks_url is not None else None

    async def has_applied(self, sequence: int) -> bool:
        return self.applies

    def use(self, client: Client, digest: str) -> None:
        self.used.setdefault(client.uuid, {})[name_of_secret(digest)] = 1.0

    def use_key(self, client_uuid: str, thumbprint: str, at: float) -> None:
        self.used.setdefault(client_uuid, {})[name_of_key(thumbprint)] = float(int(at))


@dataclass
class Scene:
    """Instances of the service on one database, whose time only the test advances."""

    clock: SetClock
    store: Store
    operations: Operations
    fleet: Fleet
    runners: list[RotationRunner]

    @property
    def keys(self) -> KeyRotationOperations:
        changes, fleet = self.operations.rotation_changes, self.fleet
        return KeyRotationOperations(self.store, changes, fleet.fetched, fleet)

    @property
    def own(self) -> OwnRotationOperations:
        rotations, applied = self.operations.rotations, self.fleet.has_applied
        return OwnRotationOperations(self.store, rotations, self.keys, self.clock, applied)

    async def create(self, client_id: str, **members: Any) -> str:
        """Create a client in the realm."""
        representation = {"clientId": client_id, **members}
        return (await self.operations.clients.create(ACTOR, "acme", representation)).value[0].uuid

    async def client(self, uuid: str) -> Client:
        async with self.store.find() as reading:
            realm = await reading.realms.get("acme")
            assert realm is not None
            found = await reading.clients.get(realm.id, uuid)
            assert found is not None
            return found

    async def rotations(self, uuid: str) -> list[Rotation]:
        async with self.store.find() as reading:
            return await reading.rotations.of_client(uuid, most=10)

    async def run(self, *, days: float = 0.0) -> None:
        """Let time pass, and every instance do all that is due."""
        self.clock.time += days * DAY
        for _ in range(4):
            for runner in self.runners:
                await runner.plan()
                await runner.advance()
            self.clock.time += 61.0

    async def state(self, uuid: str) -> State:
        return (await self.rotations(uuid))[0].state

    async def use_current(self, uuid: str) -> None:
        """Note that the client has authenticated with its current secret."""
        client = await self.client(uuid)
        assert client.secrets.current is not None
        self.fleet.use(client, client.secrets.current.digest)


def target(uuid: str) -> ClientTarget:
    return ClientTarget(ACTOR, "acme", uuid)
