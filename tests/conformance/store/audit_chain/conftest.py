"""A service whose time only the test advances, and an attacker who writes to its database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select, text

from keyturn_credentials.domain.audit_chain.checking import Report
from keyturn_credentials.domain.audit_chain.statements import SETTLING_SECONDS, Head
from keyturn_credentials.operations.audit_acceptance import AuditAcceptance
from keyturn_credentials.operations.audit_chain_loop import AuditChainLoop
from keyturn_credentials.operations.retention import Retention
from keyturn_credentials.operations.wiring import Operations, build_operations
from keyturn_credentials.queries.audit_examination import AuditExamination
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.audit_chain import AuditChain
from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.unit_of_work import Store
from tests.conformance.store.conftest import ACTOR
from tests.testkit.clocks import SetClock
from tests.testkit.migrated_database import put_schema

DAY = 86_400.0


@dataclass
class Service:
    """An instance of the service, with the loop that a test advances."""

    settings: CredentialsSettings
    database: Database
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        self.store = Store(self.database, self.clock, self.settings.encryption_ring())
        self.chain = AuditChain(self.store.encryption, self.settings.audit_keys())
        self.operations: Operations = build_operations(self.store, self.clock, self.settings)
        self.metrics = CollectorRegistry()
        self.loop = AuditChainLoop(self.store, self.chain, self.clock, self.metrics)

    def restarted(self, **settings: Any) -> "Service":
        """Another process, which remembers nothing, with other settings."""
        return Service(self.settings.model_copy(update=settings), self.database, self.clock)

    async def make(self, *names: str) -> None:
        for name in names:
            await self.operations.realms.create(ACTOR, {"realm": name})

    async def note(self, action: str) -> None:
        """Write an entry about something that is no change."""
        async with self.store.change(ACTOR) as transaction:
            await transaction.audit(action, realm_id="realm-1", details={"text": "€", "n": 1.5})

    async def chained(self) -> None:
        """Add everything to the chain; a process that did it before is gone."""
        await self.write("DELETE FROM leases")
        while await self.loop.step() < 1.0:
            pass

    async def settle(self) -> None:
        self.clock.time += SETTLING_SECONDS + 1
        await self.chained()

    def retention(self, days: float) -> Retention:
        return Retention(self.store, self.clock, self.chain, event_days=None, audit_days=days)

    async def accept(self) -> int:
        return (await AuditAcceptance(self.store, self.chain).run("it was me")).number

    async def report(self, kept: Head | None = None) -> Report:
        keys = self.settings.audit_keys().verification()
        async with self.database.snapshot() as connection:
            examination = AuditExamination(connection, self.store.encryption, keys)
            return await examination.run(self.clock.now(), kept)

    async def problems(self, kept: Head | None = None) -> set[str]:
        return {problem.value for problem in (await self.report(kept)).problems}

    async def head(self) -> Head:
        head = (await self.report()).head
        assert head is not None
        return head

    async def numbers(self) -> list[tuple[int, int | None]]:
        """Return the ids of all entries with their numbers."""
        wanted = select(audit.c.id, audit.c.chain_number).order_by(audit.c.id)
        return [tuple(row) for row in await self.database.find(wanted)]

    async def write(self, *statements: str, **values: Any) -> None:
        """Write to the database without the service."""
        async with self.database.writing() as connection:
            for statement in statements:
                await connection.execute(text(statement), values)

    async def write_as_former_release(self, action: str, sequence: int | None = None) -> None:
        """Write an entry with the columns that an earlier release knows."""
        await self.write(
            "INSERT INTO audit (occurred_at, realm_id, action, actor_realm, actor_client_id, sequence,"
            " details) VALUES (:now, 'realm-1', :action, 'master', 'ops', :sequence, '{\"a\": 1}')",
            now=self.clock.now(),
            action=action,
            sequence=sequence,
        )

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.get_sample_value(name, labels)


@pytest.fixture
async def service(settings: CredentialsSettings) -> AsyncIterator[Service]:
    put_schema(settings.database_url)
    database = Database(settings.database_url, pool_size=8)
    await migrate(database)
    yield Service(settings, database)
    await database.close()
