"""What the endpoints see of the node: a way to decide something that holds at the moment it is decided."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from keyturn_shared.errors import KeyturnError
from keyturn_shared.projection import LONGEST_NAME, client_field, realm_field
from keyturn_verifier.errors import FencedError, UnsettledError, is_unavailable
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.node.cache import StateCache
from keyturn_verifier.node.lease import Lease, LeaseState
from keyturn_verifier.node.states import ClientState, RealmState, State

_ATTEMPTS: Final = 4

T = TypeVar("T")


class Basis:
    """The states one decision rests on."""

    __slots__ = ("_cache", "_read", "_used")

    def __init__(self, cache: StateCache) -> None:
        self._cache = cache
        self._used: list[State] = []
        self._read: set[str] = set()

    async def realm(self, name: str) -> RealmState | None:
        """The realm, or None when there is certainly none. Raises UnavailableError, RedisUnavailableError."""
        if len(name) > LONGEST_NAME:
            return None  # nobody can have it, and to remember that of very many would take much room
        state = await self._use(realm_field(name))
        return state if isinstance(state, RealmState) else None

    async def client(self, realm: RealmState, client_id: str) -> ClientState | None:
        """A client of the realm; otherwise as ``realm``."""
        if len(client_id) > LONGEST_NAME:
            return None
        state = await self._use(client_field(realm.projection.id, client_id))
        return state if isinstance(state, ClientState) else None

    async def even_out(self, realm: RealmState, client_id: str) -> None:
        """Before a refusal: take the time of reading the client, unless it was read for this decision.

        A client that is used is in memory and a name that nobody has is not. Without this, how soon a refusal
        comes would tell which names are taken.
        """
        field = client_field(realm.projection.id, client_id)
        if field not in self._read:
            await self._cache.read_in_vain(field)

    @property
    def superseded(self) -> bool:
        """Whether any of them is out of date by now."""
        return any(state.superseded for state in self._used)

    async def _use(self, field: str) -> State:
        state = self._cache.cached(field)
        if state is None:
            self._read.add(field)
            state = await self._cache.get(field)
        self._used.append(state)
        return state


class Node:
    """Decides under the two conditions of every answer: at that instant the lease is held, and nothing the
    decision rests on is superseded."""

    def __init__(self, cache: StateCache, lease: Lease, metrics: NodeMetrics) -> None:
        self._cache = cache
        self._lease = lease
        self._metrics = metrics

    def require_lease(self) -> None:
        """Raise FencedError unless this node may answer now."""
        state = self._lease.state
        if state is LeaseState.HELD:
            return
        if state is LeaseState.FENCED:
            self._metrics.fenced_answers.inc()
            raise FencedError("no lease")
        self._metrics.stale_answers.inc()

    async def decide(self, decision: Callable[[Basis], Awaitable[T]]) -> T:
        """The outcome of a decision, be it a value or a refusal, made again where its basis has changed.

        Raises what the decision raises, FencedError, and UnsettledError when the basis keeps changing.
        """
        for _ in range(_ATTEMPTS):
            basis = Basis(self._cache)
            refused: KeyturnError | None = None
            try:
                outcome = await decision(basis)
            except KeyturnError as error:
                if is_unavailable(error):
                    raise
                refused = error
            # No await between here and the return: this is the instant.
            self.require_lease()
            if not basis.superseded:
                if refused is not None:
                    raise refused
                return outcome
            self._metrics.decided_again.inc()
        raise UnsettledError("the basis of the decision keeps changing")
