"""Requests that need a fetch: one attempt for all of them, on this node and in the fleet.

The rules, and why junk cannot shut out a real key for long:

- Each URL has ``demand_burst`` fetches for unknown kids, and one more every ``min_interval``. Redis counts
  them for the whole fleet when an attempt begins. An attempt that found other keys is refunded, so rotations
  in quick succession cost nothing, and only junk uses up the allowance.
- A request for an unknown kid waits for the next allowed attempt if that comes before its deadline; otherwise
  it is refused at once. If the key set is fetched without failures, the deadline (``new_key_timeout``) is
  later than the next attempt, whoever used up the allowance. So even under constant junk, the first request
  with a new key succeeds: any attempt after the publication brings that key.
- A kid counts as unknown only after an attempt that began after the request came, or if none is allowed.
- The number of waiting requests is limited; those beyond the limit are refused at once, so junk cannot pile
  up. Requests for key sets that fail or were never fetched have a limit of their own.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

import structlog

from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.jose.key_set import Candidates
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_shared.tasks import end_tasks, wait_for_event
from keyturn_verifier.key_sets.cache import KeySetCache
from keyturn_verifier.key_sets.fetcher import KeySetFetcher
from keyturn_verifier.key_sets.metrics import ANSWERED, KeySetMetrics
from keyturn_verifier.key_sets.pending_refresh import Verdict, Waiter
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.redis_repository import Answer, DemandReply, KeySetRepository, Need

_RETRY_SECONDS: Final = 0.25
"""Seconds a node waits for an announcement before it reads the record itself."""
_CLOSED_SECONDS: Final = 1.0
"""Seconds for which a node caches that a URL's allowance is used up."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Demand:
    """This node's requests that wait for one key set."""

    address: KeySetAddress
    waiters: list[Waiter] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)


class OnDemandRefresh:
    """Obtains key sets for requests that wait for them."""

    def __init__(
        self,
        channel: KeySetRepository,
        fetcher: KeySetFetcher,
        key_sets: KeySetCache,
        policy: KeySetPolicy,
        clock: Clock,
        metrics: KeySetMetrics,
    ) -> None:
        self._channel = channel
        self._fetcher = fetcher
        self._key_sets = key_sets
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._demands: dict[str, _Demand] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed: dict[str, float] = {}
        # By whether the key set is proven: sets that fail or were never fetched must not delay the others,
        # nor take their room.
        self._lanes = {
            True: asyncio.Semaphore(policy.demand_concurrency),
            False: asyncio.Semaphore(policy.retry_concurrency),
        }
        self._waiting = {True: 0, False: 0}

    async def wait(
        self,
        address: KeySetAddress,
        required: Required,
        kid: str | Thumbprint | None,
        algorithm: str,
        excluded: frozenset[str] = frozenset(),
    ) -> Candidates:
        """Return the keys, within the policy's patience. Raises UnknownKidError and KeysUnavailableError."""
        elapsed = self._clock.elapsed()
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        waiter = Waiter(required, kid, algorithm, elapsed, verdict, excluded=excluded)
        proven = self._is_proven(address)
        need = waiter.need(self._key_sets.get(address.id), self._clock.now(), self._policy)
        patience = self._policy.patience(lacks_kid_alone=proven and need == "kid")
        waiter.deadline += patience
        demand = self._demands.get(address.id)
        crowded = self._waiting[proven] >= self._policy.waiters or (
            demand is not None and len(demand.waiters) >= self._policy.waiters_per_url
        )
        if crowded or elapsed < self._closed.get(address.id, 0.0):
            return self._result("refused_at_once", self._give_up(address, waiter))
        if demand is None:
            demand = self._demands[address.id] = _Demand(address)
            task = asyncio.create_task(self._serve(demand), name=f"key-set-demand-{address.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        demand.waiters.append(waiter)
        demand.news.set()
        self._count(proven, 1)
        try:
            async with asyncio.timeout(patience):
                return self._result(ANSWERED, await verdict)
        except TimeoutError:
            late = self._give_up(address, waiter)
            if isinstance(late, UnknownKidError):  # no attempt has ended since the request came
                late = KeysUnavailableError("no fetch finished in time")
            return self._result("timed_out", late)
        finally:
            self._count(proven, -1)
            with contextlib.suppress(ValueError):
                demand.waiters.remove(waiter)

    def announced(self, key_set_id: str) -> None:
        """Note that an attempt for this key set has ended somewhere."""
        if (demand := self._demands.get(key_set_id)) is not None:
            demand.news.set()

    async def stop(self) -> None:
        """Cancel what is in progress; the leases expire by themselves."""
        await end_tasks(*self._tasks)

    def _is_proven(self, address: KeySetAddress) -> bool:
        cached = self._key_sets.get(address.id)
        return cached is not None and not cached.record.failures

    def _count(self, proven: bool, change: int) -> None:
        self._waiting[proven] += change
        self._metrics.waiting.set(sum(self._waiting.values()))

    async def _serve(self, demand: _Demand) -> None:
        try:
            while demand.waiters:
                demand.news.clear()
                pause = await self._ask(demand)
                if pause > 0 and demand.waiters:
                    await wait_for_event(demand.news, pause)
        except RedisUnavailableError as error:
            self._resolve_all(demand, error.detail)
        except Exception as error:  # noqa: BLE001 - whatever failed, no request may wait in vain
            self._metrics.loop_failures.labels("demand").inc()
            _log.exception("key_set_demand_broke", key_set=demand.address.id)
            self._resolve_all(demand, type(error).__name__)
        finally:
            self._demands.pop(demand.address.id, None)

    async def _ask(self, demand: _Demand) -> float:
        """Ask Redis once and act on the reply. Return the seconds after which to ask again."""
        cached = self._key_sets.get(demand.address.id)
        async with self._lanes[self._is_proven(demand.address)]:
            asking = list(demand.waiters)
            if not asking:
                return 0.0
            need, required = self._strongest(demand.address, asking)
            seen = cached.record.generation if cached is not None else 0
            reply = await self._channel.demand(demand.address, seen, need, required)
            for waiter in asking:
                waiter.asked(reply)
            if reply.lease is not None:
                conditional = required.met_by(reply.lease.record.position)
                record = await self._fetcher.run(reply.lease, conditional=conditional)
            else:
                record = reply.record
        if record is not None:
            await self._apply(demand, record)
            return 0.0
        return self._postpone(demand, reply, need)

    def _strongest(self, address: KeySetAddress, waiters: list[Waiter]) -> tuple[Need, Required]:
        cached, now = self._key_sets.get(address.id), self._clock.now()
        needs = {waiter.need(cached, now, self._policy) for waiter in waiters}
        return "keys" if "keys" in needs else "kid", max(waiter.required for waiter in waiters)

    async def _apply(self, demand: _Demand, record: KeySetRecord) -> None:
        cached = await self._key_sets.admit(demand.address.id, record)
        self._metrics.held.set(len(self._key_sets))
        self._closed.pop(demand.address.id, None)
        now = self._clock.now()
        for waiter in list(demand.waiters):
            if (verdict := waiter.evaluate(cached, now, self._policy)) is not None:
                self._resolve(demand, waiter, verdict)

    def _postpone(self, demand: _Demand, reply: DemandReply, need: Need) -> float:
        """Resolve the requests that cannot wait for the next attempt, because none is allowed now."""
        if reply.answer is Answer.BEHIND:
            self._resolve_all(demand, "Redis knows less of the event log than this node")
            return 0.0
        if reply.answer is Answer.WAIT:
            opens = self._clock.elapsed() + reply.seconds
            cached, now = self._key_sets.get(demand.address.id), self._clock.now()
            for waiter in list(demand.waiters):
                if waiter.deadline < opens or waiter.can_do_without(cached, now, self._policy):
                    self._resolve(demand, waiter, waiter.give_up(cached, now, self._policy))
            patience = self._policy.patience(
                lacks_kid_alone=need == "kid" and self._is_proven(demand.address)
            )
            if reply.seconds > patience:
                self._close(demand.address.id, min(reply.seconds - patience, _CLOSED_SECONDS))
        return min(max(reply.seconds, 0.001), _RETRY_SECONDS)

    def _close(self, key_set_id: str, seconds: float) -> None:
        if len(self._closed) >= self._policy.waiters:
            self._closed.clear()
        self._closed[key_set_id] = self._clock.elapsed() + seconds

    def _give_up(self, address: KeySetAddress, waiter: Waiter) -> Verdict:
        return waiter.give_up(self._key_sets.get(address.id), self._clock.now(), self._policy)

    def _resolve(self, demand: _Demand, waiter: Waiter, verdict: Verdict) -> None:
        if not waiter.verdict.done():
            waiter.verdict.set_result(verdict)
        with contextlib.suppress(ValueError):
            demand.waiters.remove(waiter)

    def _resolve_all(self, demand: _Demand, reason: str) -> None:
        cached, now = self._key_sets.get(demand.address.id), self._clock.now()
        for waiter in list(demand.waiters):
            verdict = waiter.give_up(cached, now, self._policy)
            if not isinstance(verdict, tuple):
                verdict = KeysUnavailableError(reason)
            self._resolve(demand, waiter, verdict)

    def _result(self, outcome: str, verdict: Verdict) -> Candidates:
        if isinstance(verdict, tuple):
            self._metrics.demands.labels(outcome).inc()
            return verdict
        self._metrics.demands.labels(verdict.code).inc()
        raise verdict
