"""The endpoints' view of a node: a way to decide something that holds at the moment of the decision."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.entities import ClientState, RealmState, State, SubjectState
from keyturn_shared.oauth.errors import FencedError, UnsettledError, is_unavailable
from keyturn_shared.oauth.ports import Subject
from keyturn_shared.projection import (
    MAX_NAME_LENGTH,
    MAX_SUBJECT_LENGTH,
    client_field,
    realm_field,
    subject_field,
)
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replica.cache import StateCache
from keyturn_verifier.replica.lease import Lease, LeaseState

_ATTEMPTS: Final = 4

T = TypeVar("T")


class ReadSet:
    """The cached states that one decision has read."""

    __slots__ = ("_cache", "_read", "_used")

    def __init__(self, cache: StateCache) -> None:
        self._cache = cache
        self._used: list[State] = []
        self._read: set[str] = set()

    async def realm(self, name: str) -> RealmState | None:
        """Return the realm, or None if it certainly does not exist. Raises UnavailableError,
        RedisUnavailableError."""
        if len(name) > MAX_NAME_LENGTH:
            return None  # no realm has such a name, and remembering many of them would take much memory
        state = await self._use(realm_field(name))
        return state if isinstance(state, RealmState) else None

    async def client(self, realm: RealmState, client_id: str) -> ClientState | None:
        """Return a client of the realm, or None if it certainly does not exist. Raises like ``realm``."""
        if len(client_id) > MAX_NAME_LENGTH:
            return None
        state = await self._use(client_field(realm.projection.id, client_id))
        return state if isinstance(state, ClientState) else None

    async def client_id_of(self, realm: RealmState, subject: Subject) -> str | None:
        """Return the id of the client that the subject stands for, or None if there certainly is none. Raises
        like ``realm``."""
        if len(subject.name) > MAX_SUBJECT_LENGTH:
            return None
        state = await self._use(subject_field(realm.projection.id, *subject))
        return state.client_id if isinstance(state, SubjectState) else None

    async def equalize_time(self, realm: RealmState, client_id: str, subject: Subject | None = None) -> None:
        """Spend the time of reading the client, and the subject by which it was found, unless this decision
        has read them. Call it before a refusal.

        A client in use is in memory, an unknown name is not. Without this, response times would reveal which
        names are taken.
        """
        fields = [client_field(realm.projection.id, client_id)]
        if subject is not None:
            fields.append(subject_field(realm.projection.id, *subject))
        for field in fields:
            if field not in self._read:
                await self._cache.read_and_discard(field)

    @property
    def superseded(self) -> bool:
        """True if any of the states is out of date."""
        return any(state.superseded for state in self._used)

    async def _use(self, field: str) -> State:
        state = self._cache.cached(field)
        if state is None:
            self._read.add(field)
            state = await self._cache.get(field)
        self._used.append(state)
        return state


class Replica:
    """Decides under the two conditions of every answer: at that instant the node holds its lease, and nothing
    that the decision has read is superseded."""

    def __init__(self, cache: StateCache, lease: Lease, metrics: NodeMetrics) -> None:
        self._cache = cache
        self._lease = lease
        self._metrics = metrics

    def realm_at_hand(self, name: str) -> RealmState | None:
        """Return the realm's current state, if it is in memory."""
        state = self._cache.cached(realm_field(name))
        return state if isinstance(state, RealmState) else None

    def client_at_hand(self, realm: RealmState, client_id: str) -> ClientState | None:
        """Return the current state of a client of the realm, if it is in memory."""
        state = self._cache.cached(client_field(realm.projection.id, client_id))
        return state if isinstance(state, ClientState) else None

    def require_lease(self) -> None:
        """Raise FencedError unless this node may answer now."""
        state = self._lease.state
        if state is LeaseState.HELD:
            return
        if state is LeaseState.FENCED:
            self._metrics.fenced_answers.inc()
            raise FencedError("no lease")
        self._metrics.stale_answers.inc()

    async def decide(self, decision: Callable[[ReadSet], Awaitable[T]]) -> T:
        """Return the outcome of a decision, a value or a refusal. Repeat it if something it read has changed.
        Raises the decision's own errors, FencedError, and UnsettledError when its reads keep changing."""
        for _ in range(_ATTEMPTS):
            read_set = ReadSet(self._cache)
            refused: KeyturnError | None = None
            try:
                outcome = await decision(read_set)
            except KeyturnError as error:
                if is_unavailable(error):
                    raise
                refused = error
            # No await between here and the return: this is the instant.
            self.require_lease()
            if not read_set.superseded:
                if refused is not None:
                    raise refused
                return outcome
            self._metrics.decided_again.inc()
        raise UnsettledError("the client or its realm keeps changing")
