"""Code without its protections. Each function gives a context in which one of them is missing."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.relay import judgement, relay
from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.relay.judgement import Action, Comparison, Decision
from keyturn_shared.fleet.membership import MembershipChannel, Renewal
from keyturn_shared.fleet.relay_channel import LeaseTerms
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse, Claim
from keyturn_shared.fleet.scripts import Argument, Call
from keyturn_shared.position import BEGINNING, Position
from keyturn_verifier.node import cache
from keyturn_verifier.node.lease import Lease, LeaseState
from keyturn_verifier.node.node import Basis, Node
from tests.simulation.database import Database, DatabaseLink
from tests.simulation.process import Process
from tests.simulation.redis_links import SimulatedScripts
from tests.simulation.redis_model import commands
from tests.simulation.redis_model.server import RedisServer
from tests.simulation.settings import LEEWAY

Without = AbstractContextManager[object]
_EVENT_ARGUMENTS: Final = 5


def publish_in_two_steps() -> Without:
    sound = SimulatedScripts.run_many

    async def run_many(self: SimulatedScripts, name: str, calls: Sequence[Call]) -> list[Any]:
        if name != "publish":
            return await sound(self, name, calls)
        outcomes = await sound(self, name, [(keys, args[:_EVENT_ARGUMENTS]) for keys, args in calls])
        for keys, arguments in calls:
            pairs = list(zip(arguments[5::2], arguments[6::2], strict=True))
            await self._link.request([lambda server, key=keys[2], pairs=pairs: _write(server, key, pairs)])
        return outcomes

    return patch.object(SimulatedScripts, "run_many", run_many)


def _write(server: RedisServer, key: str, pairs: list[tuple[Argument, Argument]]) -> None:
    for field, value in pairs:
        assert isinstance(field, str)
        assert isinstance(value, bytes)
        if value.endswith(b":"):
            server.direct(b"HDEL", key.encode(), field.encode())
        else:
            server.direct(b"HSET", key.encode(), field.encode(), value)


def accept_any_id() -> Without:
    return patch.object(commands, "refuses", lambda stream, at: False)


def carry_over_whatever_is_there() -> Without:
    sound = judgement.decide

    def decide(seen: Comparison) -> Decision:
        decision = sound(seen)
        if decision.reason == "redis_behind_after_restart":
            return Decision(Action.CARRY_OVER, decision.reason)
        return decision

    return patch.object(relay, "decide", decide)


def remember_by_one_clock() -> Without:
    sound = AssertionRegistry.claim

    async def claim(self: AssertionRegistry, uses: Sequence[AssertionUse]) -> list[Claim]:
        return await sound(
            self, [replace(use, remember_seconds=use.remember_seconds - LEEWAY) for use in uses]
        )

    return patch.object(AssertionRegistry, "claim", claim)


def keep_overtaken_reads() -> Without:
    never = property(lambda flight: False, lambda flight, value: None)
    return patch.object(cache._Flight, "overtaken", never)


def answer_from_superseded_states() -> Without:
    return patch.object(Basis, "superseded", False)


def take_any_event_for_the_next() -> Without:
    return patch.object(Position, "follows", lambda self, earlier: True)


def answer_without_a_lease() -> Without:
    return patch.object(Node, "require_lease", lambda self: None)


def count_leases_from_the_answer() -> Without:
    sound = Lease.note

    def note(self: Lease, renewal: Renewal, *, asked_at: float, reported: Position) -> None:
        sound(self, renewal, asked_at=self._elapsed(), reported=reported)

    return patch.object(Lease, "note", note)


def count_leases_at_once() -> Without:
    sound = Lease.note

    def note(self: Lease, renewal: Renewal, *, asked_at: float, reported: Position) -> None:
        head = renewal.head
        if head is not None and head > self._applied:
            renewal = replace(renewal, head=self._applied)
        sound(self, renewal, asked_at=asked_at, reported=min(reported, self._applied))

    return patch.object(Lease, "note", note)


def judge_the_lease_at_the_beginning() -> Without:
    sound = Node.decide

    class Held:
        """A lease that somebody else has judged."""

        state = LeaseState.HELD

    async def decide(self: Node, decision: Callable[[Basis], Awaitable[Any]]) -> Any:
        self.require_lease()
        unchecked = Node(self._cache, Held(), self._metrics)  # type: ignore[arg-type] # asked for its state only
        return await sound(unchecked, decision)

    return patch.object(Node, "decide", decide)


def stop_clocks_with_their_processes() -> Without:
    sound = Process.go_on

    def go_on(self: Process) -> None:
        if self.stopped:
            self.clock.lost += self._loop.time() - self.stopped_at
        sound(self)

    return patch.object(Process, "go_on", go_on)


def leases_without_margin() -> Without:
    return patch.object(LeaseTerms, "as_arguments", lambda self: (round(self.seconds * 1000), 0))


def report_what_is_not_applied() -> Without:
    sound = MembershipChannel.renew
    heads: dict[int, Position] = {}

    async def renew(self: MembershipChannel, applied: Position, details: str) -> Renewal:
        renewal = await sound(self, max(applied, heads.get(id(self), BEGINNING)), details)
        if renewal.head is not None:
            heads[id(self)] = renewal.head
        return renewal

    return patch.object(MembershipChannel, "renew", renew)


def wait_by_numbers_alone() -> Without:
    async def is_of_this_log(self: FleetWaiter, head: object) -> bool:
        return True

    return patch.object(FleetWaiter, "_is_of_this_log", is_of_this_log)


def overwrite_the_fleet_state() -> Without:
    async def replace_fleet_state(self: DatabaseLink, seen: FleetState, state: FleetState) -> bool:
        def save(database: Database) -> bool:
            database.fleet_state = state
            return True

        return await self.ask(save)

    return patch.object(DatabaseLink, "replace_fleet_state", replace_fleet_state)
