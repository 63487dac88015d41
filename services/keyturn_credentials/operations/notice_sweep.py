"""Rounds through everything that notices are about, a page at a time."""

from collections import deque
from collections.abc import AsyncIterator, Collection
from itertools import groupby
from typing import Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.notice_kinds import (
    CERTIFICATE_ENDED,
    CERTIFICATE_ENDING,
    KEY_SET_FAILING,
    KEY_SET_UNUSABLE,
    SECRET_ENDED,
    SECRET_ENDING,
)
from keyturn_credentials.domain.notice_lead import lead_seconds
from keyturn_credentials.domain.notices import Notice
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Rotation
from keyturn_credentials.operations.certificate_ends import CertificateEnds
from keyturn_credentials.operations.notice_changes import NoticeChanges, NoticeWriter
from keyturn_credentials.operations.notice_judgement import NoticeJudgement
from keyturn_credentials.store.client_uuids import uuids_of
from keyturn_credentials.store.ending_credentials import (
    CERTIFICATE_ENDS,
    SECRET_ENDS,
    Ending,
    Place,
    ended_page,
    ending_page,
)
from keyturn_credentials.store.id_search import Page, find_ids
from keyturn_credentials.store.search_query import Criteria
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock

PAGE: Final = 200
_BY_URL: Final = Criteria(attributes={attributes.USE_JWKS_URL: "true"})
_OF_URLS: Final = frozenset({KEY_SET_UNUSABLE.code, KEY_SET_FAILING.code})
_ENDS: Final[tuple[tuple[Ending, str, str], ...]] = (
    (SECRET_ENDS, SECRET_ENDING.code, SECRET_ENDED.code),
    (CERTIFICATE_ENDS, CERTIFICATE_ENDING.code, CERTIFICATE_ENDED.code),
)

_Walk = AsyncIterator[None]
"""Goes through one kind of candidates. Each of its steps is a page."""


class NoticeSweep:
    """Opens and closes notices. Candidates are found through indexes, and judged as a whole: a page has
    ``PAGE`` clients at most. An error ends the walk that it occurs in, not the others of the round."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        judgement: NoticeJudgement,
        writer: NoticeWriter,
        ends: CertificateEnds,
    ) -> None:
        self._store = store
        self._clock = clock
        self._judgement = judgement
        self._writer = writer
        self._ends = ends
        self._walks: deque[_Walk] = deque()

    async def step(self) -> bool:
        """Take the next page. Return whether the round is complete. Raises StoreUnavailableError."""
        if not self._walks:
            self._walks.extend(await self._plan())
        walk = self._walks.popleft()  # one that fails is not taken up again in this round
        try:
            await anext(walk)
        except StopAsyncIteration:
            pass
        else:
            self._walks.appendleft(walk)
        return not self._walks

    async def _plan(self) -> list[_Walk]:
        async with self._store.read() as reading:
            realms = await reading.realms.all()
        walks = [self._known(), self._rotations()]
        for realm in realms:
            walks += [self._all(realm), self._realm_keys(realm)]
            for ending, soon, ended in _ENDS:
                walks += [self._ending(realm, ending, soon), self._ended(realm, ending, ended)]
            walks.append(self._urls(realm))
        return walks

    async def _known(self) -> _Walk:
        """Judge again whatever there is a notice about, so that it closes."""
        after = 0
        while True:
            async with self._store.read() as reading:
                found = await reading.notices.page(after, most=PAGE)
            changes = NoticeChanges()
            for realm_id, of_realm in groupby(sorted(found, key=lambda each: each.realm_id), _realm_id):
                some = list(of_realm)
                uuids = {each.client_uuid for each in some if each.client_uuid is not None}
                if uuids:
                    await self._judgement.clients(realm_id, uuids, changes)
                if any(each.kid is not None for each in some):
                    await self._judgement.realm_keys(realm_id, changes)
            await self._writer.write(changes)
            yield
            if len(found) < PAGE:
                return
            after = found[-1].number

    async def _rotations(self) -> _Walk:
        """Judge the clients whose rotations have an alert."""
        after = ""
        while True:
            async with self._store.read() as reading:
                found = await reading.rotations.open_page(after, most=PAGE)
            changes = NoticeChanges()
            judged = [each for each in found if each.alert is not None]
            if len(found) == PAGE:
                judged.append(found[-1])  # its client may have a further one, which has an alert
            for realm_id, of_realm in groupby(sorted(judged, key=_realm_id), _realm_id):
                uuids = {each.client_uuid for each in of_realm}
                await self._judgement.clients(realm_id, uuids, changes)
            await self._writer.write(changes)
            yield
            if len(found) < PAGE:
                return
            after = found[-1].client_uuid

    async def _all(self, realm: Realm) -> _Walk:
        """Read all clients once after the start, and judge those with a secret that cannot be decrypted."""
        async for unreadable in self._ends.walk(realm):
            for first in range(0, len(unreadable), PAGE):
                await self._judge(realm, unreadable[first : first + PAGE])
            yield

    async def _realm_keys(self, realm: Realm) -> _Walk:
        changes = NoticeChanges()
        await self._judgement.realm_keys(realm.id, changes)
        await self._writer.write(changes)
        yield

    async def _ending(self, realm: Realm, ending: Ending, code: str) -> _Walk:
        """Judge clients with a credential that ends soon, the soonest first."""
        after: Place | None = Place(self._clock.now(), "")
        while after is not None:
            until = self._clock.now() + lead_seconds(realm.attributes)
            async with self._store.read() as reading:
                found = await ending_page(reading, realm.id, ending, until, PAGE, after)
            full, _ = await self._judge(realm, [client.uuid for client, _ in found])
            yield
            after = found[-1][1] if len(found) == PAGE and code not in full else None

    async def _ended(self, realm: Realm, ending: Ending, code: str) -> _Walk:
        """Judge clients with a credential that has ended, the latest first."""
        after: Place | None = None
        while True:
            async with self._store.read() as reading:
                found = await ended_page(reading, realm.id, ending, self._clock.now(), PAGE, after)
            full, _ = await self._judge(realm, [client.uuid for client, _ in found])
            yield
            if len(found) < PAGE or code in full:
                return
            after = found[-1][1]

    async def _urls(self, realm: Realm) -> _Walk:
        """Judge clients with a JWKS URL, in order of their ids, until Redis does not answer."""
        after = ""
        while True:
            async with self._store.read() as reading:
                client_ids = await find_ids(reading, realm.id, _BY_URL, Page(0, PAGE, after))
                uuids = await uuids_of(reading.connection, realm.id, client_ids) if client_ids else {}
            full, was_judged = await self._judge(realm, uuids.values())
            yield
            if len(client_ids) < PAGE or full >= _OF_URLS or not was_judged:
                return
            after = client_ids[-1]

    async def _judge(self, realm: Realm, client_uuids: Collection[str]) -> tuple[frozenset[str], bool]:
        """Return the codes with as many notices as there may be, and whether all was judged."""
        if not client_uuids:
            return frozenset(), True
        changes = NoticeChanges()
        was_judged = await self._judgement.clients(realm.id, set(client_uuids), changes)
        return await self._writer.write(changes), was_judged


def _realm_id(each: Notice | Rotation) -> str:
    return each.realm_id
