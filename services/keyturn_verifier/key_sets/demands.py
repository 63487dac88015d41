"""Requests that need a fetch: one attempt for all of them, in this node and in the fleet.

The rules, and why junk cannot shut a real key out for long:

- Per URL there are ``demand_burst`` fetches for unknown kids, and one more every ``min_interval``. They are
  counted in Redis when an attempt begins, for the whole fleet. An attempt that found other keys is given
  back, so rotations in quick succession cost nothing, and only junk uses the allowance up.
- A request for an unknown kid waits for the next allowed attempt if that comes before its deadline, and is
  refused at once if not. So with junk coming in all the time a new key works ``min_interval`` after it was
  published at the latest, because any attempt after the publication brings it, whoever asked for it.
- A kid is called unknown only after an attempt that began after the request came, or if none is allowed.
- Requests that wait are counted; those beyond the bound are refused at once, so junk cannot pile up. Those
  for key sets that never were fetched, or fail, are counted apart.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

import structlog

from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.key_sets.address import KeySetAddress
from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_shared.tasks import end_tasks
from keyturn_verifier.key_sets.channel import Answer, DemandReply, KeySetChannel, Need
from keyturn_verifier.key_sets.errors import KeysUnavailableError, UnknownKidError
from keyturn_verifier.key_sets.fetcher import KeySetFetcher
from keyturn_verifier.key_sets.held import HeldKeySets
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.waiting import Keys, Verdict, Waiter

_LOOK_AGAIN_SECONDS: Final = 0.25
"""How long a node waits for an announcement before it looks at the record itself."""
_CLOSED_SECONDS: Final = 1.0
"""For how long a node refuses by what it heard last about the allowance of a URL."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Demand:
    """The requests of this node that wait for one key set."""

    address: KeySetAddress
    waiters: list[Waiter] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)


class KeySetDemands:
    """Gets key sets that requests wait for."""

    def __init__(
        self,
        channel: KeySetChannel,
        fetcher: KeySetFetcher,
        held: HeldKeySets,
        policy: KeySetPolicy,
        clock: Clock,
        metrics: KeySetMetrics,
    ) -> None:
        self._channel = channel
        self._fetcher = fetcher
        self._held = held
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._demands: dict[str, _Demand] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed: dict[str, float] = {}
        # By whether the key set is proven: those that never were fetched, or fail, must not hold up those in
        # good order, nor take their room.
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
        besides: frozenset[str] = frozenset(),
    ) -> Keys:
        """The keys, after at most ``find_timeout``. Raises UnknownKidError and KeysUnavailableError."""
        elapsed = self._clock.elapsed()
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        deadline = elapsed + self._policy.find_timeout
        waiter = Waiter(required, kid, algorithm, deadline, verdict, besides=besides)
        demand = self._demands.get(address.id)
        proven = self._is_proven(address)
        crowded = self._waiting[proven] >= self._policy.waiters or (
            demand is not None and len(demand.waiters) >= self._policy.waiters_per_url
        )
        if crowded or elapsed < self._closed.get(address.id, 0.0):
            return self._settled("refused_at_once", self._give_up(address, waiter))
        if demand is None:
            demand = self._demands[address.id] = _Demand(address)
            task = asyncio.create_task(self._serve(demand), name=f"key-set-demand-{address.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        demand.waiters.append(waiter)
        demand.news.set()
        self._count(proven, 1)
        try:
            async with asyncio.timeout(self._policy.find_timeout):
                return self._settled("answered", await verdict)
        except TimeoutError:
            late = self._give_up(address, waiter)
            if isinstance(late, UnknownKidError):  # nobody has looked since the request came
                late = KeysUnavailableError("no fetch has ended in time")
            return self._settled("timed_out", late)
        finally:
            self._count(proven, -1)
            with contextlib.suppress(ValueError):
                demand.waiters.remove(waiter)

    def announced(self, key_set_id: str) -> None:
        """An attempt for it has ended somewhere."""
        if (demand := self._demands.get(key_set_id)) is not None:
            demand.news.set()

    async def stop(self) -> None:
        """End what is under way; the claims run out by themselves."""
        await end_tasks(*self._tasks)

    def _is_proven(self, address: KeySetAddress) -> bool:
        held = self._held.get(address.id)
        return held is not None and not held.record.failures

    def _count(self, proven: bool, change: int) -> None:
        self._waiting[proven] += change
        self._metrics.waiting.set(sum(self._waiting.values()))

    async def _serve(self, demand: _Demand) -> None:
        try:
            while demand.waiters:
                demand.news.clear()
                pause = await self._ask(demand)
                if pause > 0 and demand.waiters:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await demand.news.wait()
        except RedisUnavailableError as error:
            self._settle_all(demand, error.detail)
        except Exception as error:  # noqa: BLE001 - whatever broke, nobody may wait for what will not come
            self._metrics.loop_failures.labels("demand").inc()
            _log.exception("key_set_demand_broke", key_set=demand.address.id)
            self._settle_all(demand, type(error).__name__)
        finally:
            self._demands.pop(demand.address.id, None)

    async def _ask(self, demand: _Demand) -> float:
        """One question to Redis and what follows from it. Seconds after which to ask again."""
        held = self._held.get(demand.address.id)
        async with self._lanes[self._is_proven(demand.address)]:
            asking = list(demand.waiters)
            if not asking:
                return 0.0
            need, required = self._strongest(demand.address, asking)
            seen = held.record.generation if held is not None else 0
            reply = await self._channel.demand(demand.address, seen, need, required)
            for waiter in asking:
                waiter.asked(reply)
            if reply.claim is not None:
                conditional = required.met_by(reply.claim.record.position)
                record = await self._fetcher.run(reply.claim, conditional=conditional)
            else:
                record = reply.record
        if record is not None:
            await self._land(demand, record)
            return 0.0
        return self._postpone(demand, reply)

    def _strongest(self, address: KeySetAddress, waiters: list[Waiter]) -> tuple[Need, Required]:
        held, now = self._held.get(address.id), self._clock.now()
        needs = {waiter.need(held, now, self._policy) for waiter in waiters}
        return "keys" if "keys" in needs else "kid", max(waiter.required for waiter in waiters)

    async def _land(self, demand: _Demand, record: KeySetRecord) -> None:
        held = await self._held.admit(demand.address.id, record)
        self._metrics.held.set(len(self._held))
        self._closed.pop(demand.address.id, None)
        now = self._clock.now()
        for waiter in list(demand.waiters):
            if (verdict := waiter.judge(held, now, self._policy)) is not None:
                self._settle(demand, waiter, verdict)

    def _postpone(self, demand: _Demand, reply: DemandReply) -> float:
        """No attempt of ours now: those who cannot wait for the next one get their verdict."""
        if reply.answer is Answer.BEHIND:
            self._settle_all(demand, "Redis knows less of the event log than this node")
            return 0.0
        if reply.answer is Answer.WAIT:
            opens = self._clock.elapsed() + reply.seconds
            held, now = self._held.get(demand.address.id), self._clock.now()
            for waiter in list(demand.waiters):
                if waiter.deadline < opens or waiter.can_do_without(held, now, self._policy):
                    self._settle(demand, waiter, waiter.give_up(held, now, self._policy))
            if reply.seconds > self._policy.find_timeout:
                self._close(
                    demand.address.id, min(reply.seconds - self._policy.find_timeout, _CLOSED_SECONDS)
                )
        return min(max(reply.seconds, 0.001), _LOOK_AGAIN_SECONDS)

    def _close(self, key_set_id: str, seconds: float) -> None:
        if len(self._closed) >= self._policy.waiters:
            self._closed.clear()
        self._closed[key_set_id] = self._clock.elapsed() + seconds

    def _give_up(self, address: KeySetAddress, waiter: Waiter) -> Verdict:
        return waiter.give_up(self._held.get(address.id), self._clock.now(), self._policy)

    def _settle(self, demand: _Demand, waiter: Waiter, verdict: Verdict) -> None:
        if not waiter.verdict.done():
            waiter.verdict.set_result(verdict)
        with contextlib.suppress(ValueError):
            demand.waiters.remove(waiter)

    def _settle_all(self, demand: _Demand, reason: str) -> None:
        held, now = self._held.get(demand.address.id), self._clock.now()
        for waiter in list(demand.waiters):
            verdict = waiter.give_up(held, now, self._policy)
            if not isinstance(verdict, tuple):
                verdict = KeysUnavailableError(reason)
            self._settle(demand, waiter, verdict)

    def _settled(self, outcome: str, verdict: Verdict) -> Keys:
        if isinstance(verdict, tuple):
            self._metrics.demands.labels(outcome).inc()
            return verdict
        self._metrics.demands.labels(verdict.code).inc()
        raise verdict
