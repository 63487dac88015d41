"""Access tokens of the simulated clients, and which of them are valid."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from keyturn_shared.oauth.entities import ClientState, RealmState
from keyturn_shared.oauth.ports import ReadSet, Subject
from keyturn_shared.projection import RealmProjection, client_field, realm_field, token_digest
from keyturn_verifier.replica.replica import Replica
from tests.simulation.clients import REALM, REALM_ID, ended_by
from tests.simulation.database import Commit

REALM_NAME: Final = realm_field(REALM)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token that a node issued. ``client`` and ``realm``: the versions under which it was issued."""

    client_id: str
    text: str
    jti: str
    issued_at: int
    client: Commit
    realm: Commit

    @property
    def field(self) -> str:
        return client_field(REALM_ID, self.client_id)


@dataclass(slots=True)
class Seen:
    """The states on which an answer rests."""

    realm_state: RealmState | None = None
    client_state: ClientState | None = None


class SeenReadSet:
    """Records the states that a decision read."""

    def __init__(self, read_set: ReadSet) -> None:
        self._read_set = read_set
        self.seen = Seen()

    async def realm(self, name: str) -> RealmState | None:
        self.seen.realm_state = await self._read_set.realm(name)
        return self.seen.realm_state

    async def client(self, realm: RealmState, client_id: str) -> ClientState | None:
        self.seen.client_state = await self._read_set.client(realm, client_id)
        return self.seen.client_state

    async def client_id_of(self, realm: RealmState, subject: Subject) -> str | None:
        return await self._read_set.client_id_of(realm, subject)

    async def equalize_time(self, realm: RealmState, client_id: str, subject: Subject | None = None) -> None:
        await self._read_set.equalize_time(realm, client_id, subject)


class WatchedReplica:
    """A node's decisions, with the reads of the last one."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self.seen: Seen | None = None

    def require_lease(self) -> None:
        self._replica.require_lease()

    def realm_at_hand(self, name: str) -> RealmState | None:
        self.seen = Seen(self._replica.realm_at_hand(name))
        return self.seen.realm_state

    def client_at_hand(self, realm: RealmState, client_id: str) -> ClientState | None:
        assert self.seen is not None, "the realm is looked at first"
        self.seen.client_state = self._replica.client_at_hand(realm, client_id)
        return self.seen.client_state

    async def decide(self, decision: Callable[[ReadSet], Awaitable[T]]) -> T:
        async def watched(read_set: ReadSet) -> T:
            watching = SeenReadSet(read_set)
            self.seen = watching.seen
            return await decision(watching)

        return await self._replica.decide(watched)


def is_good(token: HeldToken, client: Commit | None, realm: Commit, ending: Collection[str]) -> bool | None:
    """Return the required verdict on a token for these versions.

    None where both verdicts are allowed: the token was issued under newer ones, or under some that were lost
    with a restored database. ``ending``: see ``Wallet``. It is derived from what was done since the token was
    issued, not from the protocol's own numbers.
    """
    stands = None if client is None else client.client(token.field)
    former = token.client.client(token.field)
    assert former is not None, "a token is of a client"
    if client is None or stands is None or not stands.enabled or stands.uuid != former.uuid:
        return False
    if token_digest(token.jti) in stands.revoked_tokens:
        return False
    if token.issued_at < max(stands.not_before, _realm_of(realm).not_before):
        return False
    if not (client.holds(token.client) and realm.holds(token.realm)):
        return None
    return not (
        _ended_since(client, token.client, token.field, ending)
        or _ended_since(realm, token.realm, REALM_NAME, ending)
    )


def _ended_since(version: Commit, since: Commit, name: str, ending: Collection[str]) -> bool:
    """Return whether a change of this projection after ``since``, up to ``version``, ended all tokens."""
    each: Commit | None = version
    while each is not None and each is not since:
        if name in each.changed and ended_by(each, name, ending):
            return True
        each = each.parent
    return False


def _realm_of(version: Commit) -> RealmProjection:
    realm: Any = version.states[REALM_NAME].changed[REALM_NAME]
    assert isinstance(realm, RealmProjection)
    return realm
