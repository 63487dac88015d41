"""Examination of the whole audit log in one state of the database."""

from typing import Any, Final

from sqlalchemy import func, select

from keyturn_credentials.domain.audit_chain.checking import ChainCheck, Problem, Report, compare_kept
from keyturn_credentials.domain.audit_chain.entries import Entry
from keyturn_credentials.domain.audit_chain.statements import Base, Head, read_base, read_head
from keyturn_credentials.store import audit_entries as of_entries
from keyturn_credentials.store.audit_entries import entries
from keyturn_credentials.store.audit_tables import audit, audit_chain, audit_checkpoints
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import event_counter, log_identity
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.keys import LogVerificationKeys

_PAGE: Final = 1000
_COUNT: Final = select(func.count()).select_from(audit)
_checkpoints: Final = select(audit_checkpoints).order_by(audit_checkpoints.c.number)


class AuditExamination:
    """Reads and checks everything that the audit log has. It changes nothing, and hinders nobody."""

    def __init__(self, connection: Connection, ring: KeyRing, keys: LogVerificationKeys) -> None:
        """Examine through this connection, whose queries must all see one state."""
        self._connection = connection
        self._ring = ring
        self._keys = keys

    async def run(self, now: float, kept: Head | None = None) -> Report:
        """Check everything, and against a head that was kept elsewhere."""
        report = Report()
        base, head = await self._statements(report)
        report.base, report.head = base, head
        points = await self._checkpoints(report)
        if kept is not None and compare_kept(report, kept):
            points.append(("the kept head", kept))
        if base is None or head is None:
            return report
        check = ChainCheck(self._ring, report, base, head, points, settled=now >= base.settled_at)
        await self._feed(check, base.number)
        await self._require_all(report)
        for entry in (await self._connection.execute(of_entries.repeated)).scalars():
            report.find(Problem.REPEATED, "there is another entry with its authentication code", entry)
        newest = (await self._connection.execute(select(event_counter.c.value))).scalar_one_or_none()
        return check.finish(newest)

    async def _statements(self, report: Report) -> tuple[Base | None, Head | None]:
        row = (await self._connection.execute(select(audit_chain))).one_or_none()
        log = (await self._connection.execute(select(log_identity.c.identity))).scalar_one_or_none()
        if row is None or row.base is None or row.head is None:
            report.find(
                Problem.NOT_BEGUN,
                "the chain has not begun: no instance of this release has run yet, or its record was deleted",
            )
            return None, None
        found: list[Any] = []
        for name, text, read in (("base", row.base, read_base), ("head", row.head, read_head)):
            try:
                if read(text, self._keys).log != log:
                    raise ForgedError("it is that of another database")
            except ForgedError as error:
                report.find(Problem.STATEMENT, f"the {name} of the chain: {error.detail}")
            try:
                found.append(read(text, None))  # what else is wrong is of interest too
            except ForgedError:
                found.append(None)
        return found[0], found[1]

    async def _checkpoints(self, report: Report) -> list[tuple[str, Head]]:
        points = []
        for row in await self._connection.execute(_checkpoints):
            name = f"checkpoint {row.number}"
            try:
                point = read_head(row.head, None)
            except ForgedError as error:
                report.find(Problem.STATEMENT, f"{name}: {error.detail}")
                continue
            try:
                read_head(row.head, self._keys)
            except ForgedError:
                report.foreign += 1
            report.checkpoints += 1
            points.append((name, point))
        return points

    async def _feed(self, check: ChainCheck, number: int) -> None:
        page: list[Entry]
        while page := await entries(self._connection, of_entries.after, number=number, most=_PAGE):
            for entry in page:
                check.add(entry)
            if (page[-1].number or 0) <= number:
                break  # no number at all
            number = page[-1].number or 0
        last = -(2**63)
        while page := await entries(self._connection, of_entries.unchained_after, id=last, most=_PAGE):
            for entry in page:
                check.add_unchained(entry)
            last = page[-1].id

    async def _require_all(self, report: Report) -> None:
        """Every entry that the log shows is part of the chain, or waits for it."""
        count = (await self._connection.execute(_COUNT)).scalar_one()
        if count != report.chained + report.unchained:
            others = abs(count - report.chained - report.unchained)
            report.find(Problem.UNSIGNED, f"entries with a number but no place in the chain: {others}")
