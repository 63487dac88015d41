"""Acceptance of the audit log as it is, by someone who has the database and its keys."""

from typing import Final

from sqlalchemy import func, select

from keyturn_credentials.domain.audit_chain.statements import Base, read_base, read_head
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.store import audit_entries as of_entries
from keyturn_credentials.store.audit_chain import AuditChain
from keyturn_credentials.store.audit_tables import audit, audit_chain
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.unit_of_work import SYSTEM, Store
from keyturn_shared.signed_log.errors import ForgedError

_BATCH: Final = 5000
_LARGEST: Final = 10**15
"""No log has a number beyond; somebody wrote it."""
_newest: Final = select(func.max(audit.c.chain_number)).where(audit.c.chain_number < _LARGEST)
_statements: Final = select(audit_chain.c.base, audit_chain.c.head)


class AuditAcceptance:
    """Begins the chain anew, so that all entries are added to it as they are now."""

    def __init__(self, store: Store, chain: AuditChain) -> None:
        self._store = store
        self._chain = chain

    async def run(self, reason: str) -> Base:
        """Take all entries out of the chain, batch by batch, and sign that it begins here. Whatever ends this
        before, the chain is broken as before, and it can be repeated. Raises StoreUnavailableError."""
        async with self._store.find() as reading:
            number = await _newest_number(reading.connection) + 1
        while True:
            async with self._store.change(SYSTEM) as transaction:
                if await _unchain(transaction.connection) == _BATCH:
                    continue
            async with self._store.change(SYSTEM) as transaction:
                connection = transaction.connection
                await connection.execute(_statements.with_for_update())
                while await _unchain(connection):
                    pass
                await connection.execute(of_entries.forget_repeated_codes)
                base = await self._chain.restart(connection, transaction.now, number)
                realm = await transaction.realms.get(MASTER)
                if realm is not None:
                    details = {"reason": reason, "number": number}
                    await transaction.audit("audit_log_accepted", realm_id=realm.id, details=details)
                return base


async def _newest_number(connection: Connection) -> int:
    """Return the largest number that was in use, also if it was not signed."""
    numbers = [(await connection.execute(_newest)).scalar_one() or 0]
    for row in await connection.execute(_statements):
        for text, read in ((row.base, read_base), (row.head, read_head)):
            try:
                numbers.append(read(text or "", None).number)
            except ForgedError:
                continue
    return max(number for number in numbers if number < _LARGEST)


async def _unchain(connection: Connection) -> int:
    return len((await connection.execute(of_entries.unchain_some, {"most": _BATCH})).all())
