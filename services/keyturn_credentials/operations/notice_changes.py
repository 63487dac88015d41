"""Opening, updating and closing of notices, with the webhooks about it, in one transaction."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

import structlog

from keyturn_credentials.domain.notice_causes import Cause
from keyturn_credentials.domain.notice_webhooks import closing, opening
from keyturn_credentials.domain.notices import DeliveryState, Notice, notice_of, updated
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.store.notice_deliveries import NoticeDeliveries
from keyturn_credentials.store.unit_of_work import SYSTEM, Store, UnitOfWork

MAX_OPEN: Final = 1_000
"""Open notices of one kind in a realm. Further causes get one when others close."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class NoticeChanges:
    """Changes of notices. ``opening``: a cause without a notice, and its realm. ``known``: notices whose
    cause remains."""

    opening: list[tuple[Realm, Cause]] = field(default_factory=list)
    updating: list[Notice] = field(default_factory=list)
    closing: list[Notice] = field(default_factory=list)
    known: list[Notice] = field(default_factory=list)

    def compare(
        self,
        realm: Realm | None,
        causes: Iterable[Cause],
        known: Collection[Notice],
        unjudged: Collection[str] = (),
    ) -> None:
        """Add what follows from all the causes of some subjects, and all the notices about them. ``realm``:
        None if it does not exist. ``unjudged``: codes of which it is not known whether they have a cause."""
        found = {cause.identity: cause for cause in causes}
        for notice in known:
            cause = found.pop(notice.identity, None)
            if realm is None or (cause is None and notice.code not in unjudged):
                self.closing.append(notice)
            else:
                self._keep(realm, cause, notice)
        if realm is not None:
            self.opening += [(realm, cause) for cause in found.values()]

    def _keep(self, realm: Realm, cause: Cause | None, notice: Notice) -> None:
        after = notice if cause is None else updated(notice, realm, cause)
        self.known.append(after)
        if after != notice:
            self.updating.append(after)


class NoticeWriter:
    """Writes changes. Several instances may do so at once: a cause has one notice at most, and a webhook is
    made by the instance that opened or closed its notice.

    ``announces``: whether webhooks about openings are sent. ``base_url``: of the issuers.
    """

    def __init__(self, store: Store, *, announces: bool, base_url: str) -> None:
        self._store = store
        self._announces = announces
        self._base_url = base_url

    async def write(self, changes: NoticeChanges) -> frozenset[str]:
        """Write changes, if there are any. Return the codes of which a realm has as many open notices as it
        may have. Raises StoreUnavailableError."""
        unannounced = [each for each in changes.known if each.delivery is None] if self._announces else []
        opening, full = await self._within_limits(changes.opening)
        if not (opening or changes.updating or changes.closing or unannounced):
            return full
        async with self._store.change(SYSTEM) as transaction:
            for notice in changes.closing:
                await self._close(transaction, notice)
            for notice in changes.updating:
                await transaction.notices.update(notice)
            for notice in unannounced:
                await self._announce(transaction, notice)
            for realm, cause in opening:
                await self._open(transaction, notice_of(realm, cause, transaction.now))
        return full

    async def _within_limits(
        self, wanted: list[tuple[Realm, Cause]]
    ) -> tuple[list[tuple[Realm, Cause]], frozenset[str]]:
        if not wanted:
            return [], frozenset()
        async with self._store.find() as reading:
            counts = {
                realm_id: Counter(await reading.notices.count(realm_id))
                for realm_id in {realm.id for realm, _ in wanted}
            }
        opening, full = [], set()
        for realm, cause in wanted:
            count = counts[realm.id]
            if count[cause.kind.code] < MAX_OPEN:
                count[cause.kind.code] += 1
                opening.append((realm, cause))
            else:
                full.add(cause.kind.code)
        return opening, frozenset(full)

    async def _open(self, transaction: UnitOfWork, notice: Notice) -> None:
        if not await transaction.notices.open(notice):
            return  # another instance was first
        _log.info("notice_opened", realm=notice.realm, code=notice.code, subject=notice.subject)
        if self._announces:
            await self._announce(transaction, notice)

    async def _announce(self, transaction: UnitOfWork, notice: Notice) -> None:
        if await transaction.notices.note_delivery(notice.id, DeliveryState.PENDING, was=None):
            made = opening(notice, self._base_url, transaction.now)
            await NoticeDeliveries(transaction.connection).insert(made)

    async def _close(self, transaction: UnitOfWork, notice: Notice) -> None:
        closed = await transaction.notices.close(notice)
        if closed is None:
            return  # another instance was first
        _log.info("notice_closed", realm=closed.realm, code=closed.code, subject=closed.subject)
        # Whoever heard of the opening hears of this, even if this instance knows no receiver (any more).
        if closed.delivery is not None:
            made = closing(closed, self._base_url, transaction.now)
            await NoticeDeliveries(transaction.connection).insert(made)
