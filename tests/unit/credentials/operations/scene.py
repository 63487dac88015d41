"""A realm with one client in a real database, changed by the template of all changes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey
from keyturn_credentials.domain.roles import Principal, Role
from keyturn_credentials.errors import ForbiddenError
from keyturn_credentials.operations.changes import Change, Changes
from keyturn_credentials.operations.permissions import Permission
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.tables import events, projections
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.events import ClientCreated, Event, decode_event
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing
from tests.testkit.clocks import SetClock
from tests.testkit.migrated_database import put_schema

REALM: Final = Realm("realm-id", "acme", document={"displayName": "Acme"})
CLIENT: Final = Client("uuid", "realm-id", "orders")
ACTOR: Final = Actor(Principal("acme", "caller", "caller", frozenset({Role.MANAGE_CLIENTS})), "192.0.2.1")
CLIENT_FIELD: Final = "client:realm-id:orders"
REALM_FIELD: Final = "realm:acme"


def empty_database(path: Path) -> Path:
    """Create a database with this build's schema."""
    put_schema(f"sqlite+aiosqlite:///{path}")
    return path


def signing_key(kid: str, realm_id: str = REALM.id) -> RealmKey:
    """Make a verify-only key, which needs no decryption."""
    return RealmKey(kid, realm_id, "ES256", KeyState.RETIRING, {"kid": kid}, "", None, 1.0, 1.0)


class Asked:
    """A permission that records its calls; it refuses at the ``refuses``-th one."""

    def __init__(self, *, refuses: int = 0) -> None:
        self.about: list[tuple[Principal, str, list[Client]]] = []
        self._refuses = refuses

    def __call__(self, principal: Principal, realm: str, clients: Iterable[Client]) -> None:
        self.about.append((principal, realm, list(clients)))
        if len(self.about) == self._refuses:
            raise ForbiddenError("not you")


class Scene:
    """The database, its changes, and its content afterwards."""

    def __init__(self, path: Path) -> None:
        self.clock = SetClock()
        self.database = Database(f"sqlite+aiosqlite:///{path}")
        self.committed: list[int] = []
        encryption = KeyRing([b"e" * 32], purpose="encryption")
        self.store = Store(self.database, self.clock, encryption, on_committed=self.committed.append)
        self.projector = Projector(encryption, FleetRing([b"f" * 32]))
        self.changes = Changes(self.store, self.projector)

    async def found(self) -> None:
        """Create the realm and its client: events 1 and 2."""
        async with self.store.change(ACTOR) as transaction:
            await self.changes.create_realm(
                transaction, ACTOR.principal, Asked(), REALM, lambda: [signing_key("first")]
            )
            await self.write(transaction, Asked(), (None, self.made(CLIENT)))
        self.committed.clear()

    async def write(self, transaction: Any, permission: Permission, *changes: Any) -> int:
        return await self.changes.write_clients(transaction, ACTOR.principal, permission, REALM, changes)

    @staticmethod
    def made(client: Client) -> Change[Client, None]:
        return Change(after=client, event=ClientCreated, value=None)

    async def client(self, uuid: str = CLIENT.uuid) -> Client | None:
        async with self.store.find() as reading:
            return await reading.clients.get(REALM.id, uuid)

    async def realm(self, name: str = REALM.name) -> Realm | None:
        async with self.store.find() as reading:
            return await reading.realms.get(name)

    async def keys(self, realm_id: str = REALM.id) -> list[str]:
        async with self.store.find() as reading:
            return [key.kid for key in await reading.realms.keys(realm_id)]

    async def log(self, first: int = 3) -> list[Any]:
        """Return the events from that one on."""
        wanted = select(events.c.payload).where(events.c.sequence >= first).order_by(events.c.sequence)
        return [decode_event(row.payload) for row in await self.database.find(wanted)]

    async def columns(self, event: Event) -> Any:
        """Return the log's other columns of an event."""
        (row,) = await self.database.find(select(events).where(events.c.sequence == event.sequence))
        return row

    async def projected(self, field: str) -> tuple[int, bytes | None] | None:
        """Return a projection, with the event that made it."""
        rows = await self.database.find(select(projections).where(projections.c.field == field))
        return (rows[0].sequence, rows[0].body) if rows else None

    async def audited(self, sequence: int) -> Any:
        """Return the audit entry of an event."""
        (row,) = await self.database.find(select(audit).where(audit.c.sequence == sequence))
        return row


def target(expected: Iterable[int] | None = None, *, realm: str = "acme", uuid: str = "uuid") -> ClientTarget:
    return ClientTarget(ACTOR, realm, uuid, None if expected is None else frozenset(expected))


def realm_target(expected: Iterable[int] | None = None, *, realm: str = "acme") -> RealmTarget:
    return RealmTarget(ACTOR, realm, None if expected is None else frozenset(expected))
