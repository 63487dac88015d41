"""Judgement of some clients, or of a realm's keys, with the facts that it takes."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.notice_causes import Cause, judge_client, judge_realm_keys
from keyturn_credentials.domain.notice_kinds import OF_KEY_SETS
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.operations.notice_changes import NoticeChanges
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.key_sets.inspection import KeySetHealth

Healths = Callable[[Sequence[str], tuple[str, ...]], Awaitable[list[KeySetHealth | None]]]
"""Returns the health of JWKS URLs of a realm with these networks. Raises RedisUnavailableError."""
UPKEEP_SECONDS: Final = 300.0
"""Time for which a realm's key is seen to be overdue before it has a notice: after a shorter period was set,
or after a standstill, upkeep is about to replace it."""
_KEY_SET_CODES = frozenset(kind.code for kind in OF_KEY_SETS)


class NoticeJudgement:
    """Compares what is wrong with what there are notices about. Raises StoreUnavailableError."""

    def __init__(self, store: Store, clock: Clock, healths: Healths) -> None:
        self._store = store
        self._clock = clock
        self._healths = healths
        self._overdue: dict[str, dict[str, float]] = {}
        """By realm, when each overdue key was first seen to be."""

    async def clients(self, realm_id: str, client_uuids: Collection[str], changes: NoticeChanges) -> bool:
        """Judge clients of a realm, whether or not they exist. Return whether all was judged: of JWKS URLs,
        only Redis knows."""
        async with self._store.read() as reading:
            realm = await reading.realms.get_by_id(realm_id)
            found = await reading.clients.by_uuid(realm_id, client_uuids)
            under_way = await reading.rotations.open_of_clients(found.keys())
            known = await reading.notices.of_clients(client_uuids)
        healths = await self._healths_of(realm, list(found.values()))
        causes = list[Cause]()
        if realm is not None:
            for client in found.values():
                health = None if healths is None else healths.get(client.uuid)
                rotations = under_way.get(client.uuid, ())
                causes += judge_client(realm, client, rotations, health, self._clock.now())
        changes.compare(realm, causes, known, _KEY_SET_CODES if healths is None else ())
        return healths is not None

    async def realm_keys(self, realm_id: str, changes: NoticeChanges) -> None:
        """Judge the keys of a realm, whether or not it exists."""
        async with self._store.read() as reading:
            realm = await reading.realms.get_by_id(realm_id)
            keys = [] if realm is None else await reading.realms.keys(realm.id)
            known = await reading.notices.of_realm_keys(realm_id)
        causes = [] if realm is None else list(judge_realm_keys(realm, keys, self._clock.now()))
        told = {notice.identity for notice in known}
        lasting = self._lasting(realm_id, causes)
        changes.compare(realm, [each for each in causes if each in lasting or each.identity in told], known)

    def _lasting(self, realm_id: str, causes: Sequence[Cause]) -> list[Cause]:
        """Return those of the overdue keys of a realm that upkeep has had the time to replace."""
        now, seen = self._clock.elapsed(), self._overdue.pop(realm_id, {})
        if causes:
            self._overdue[realm_id] = {each.subject: seen.get(each.subject, now) for each in causes}
        return [each for each in causes if now - seen.get(each.subject, now) >= UPKEEP_SECONDS]

    async def _healths_of(
        self, realm: Realm | None, found: Sequence[Client]
    ) -> dict[str, KeySetHealth | None] | None:
        """Return the health of JWKS URLs by client; None if Redis does not answer."""
        with_url = [client for client in found if client.jwks_url is not None]
        if realm is None or not with_url:
            return {}
        try:
            healths = await self._healths(
                [client.jwks_url or "" for client in with_url], realm.allowed_networks
            )
        except RedisUnavailableError:
            return None
        return {client.uuid: health for client, health in zip(with_url, healths, strict=True)}
