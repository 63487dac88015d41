"""Code without its protections. Each function returns a context in which one of them is missing."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.relay import reconciliation, relay, repartitioning
from keyturn_credentials.relay.claimants import ClaimantKeeper
from keyturn_credentials.relay.event_log import FleetState, LogPoint
from keyturn_credentials.relay.reconciliation import Action, Comparison, Decision
from keyturn_credentials.relay.relay import Relay
from keyturn_shared.fleet.membership import MembershipChannel, Renewal
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.fleet.relay_channel import LeaseTerms
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse, Mark, MarkedUses
from keyturn_shared.fleet.scripts import Argument, Call
from keyturn_shared.oauth.client_authentication import assertions
from keyturn_shared.oauth.tokens.token_cache import VerifiedAccessToken
from keyturn_shared.position import BEGINNING, Position
from keyturn_shared.runtime.single_flight import Flight
from keyturn_shared.signed_log.keys import LogVerificationKeys
from keyturn_verifier.replay_guard.memory import ReplayMemory
from keyturn_verifier.replica.lease import Lease, LeaseState
from keyturn_verifier.replica.replica import ReadSet, Replica
from tests.simulation.database import Database, DatabaseLink
from tests.simulation.redis_links import SimulatedScripts
from tests.simulation.redis_model import commands
from tests.simulation.redis_model.server import RedisServer
from tests.simulation.settings import LEEWAY
from tests.testkit.simulated_process import Process

Without = AbstractContextManager[object]
_EVENT_ARGUMENTS: Final = 9


def publish_in_two_steps() -> Without:
    sound = SimulatedScripts.run_many

    async def run_many(self: SimulatedScripts, name: str, calls: Sequence[Call]) -> list[Any]:
        if name != "publish":
            return await sound(self, name, calls)
        outcomes = await sound(self, name, [(keys, args[:_EVENT_ARGUMENTS]) for keys, args in calls])
        for keys, args in calls:
            pairs = list(zip(args[_EVENT_ARGUMENTS::2], args[_EVENT_ARGUMENTS + 1 :: 2], strict=True))
            await self._link.request([partial(_write, key=keys[2], pairs=pairs)])
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
    sound = reconciliation.decide

    def decide(seen: Comparison) -> Decision:
        decision = sound(seen)
        if decision.reason == "redis_behind_after_restart":
            return Decision(Action.CARRY_OVER, decision.reason)
        return decision

    return patch.object(relay, "decide", decide)


def remember_by_one_clock() -> Without:
    sound = AssertionRegistry.mark_used

    async def mark_used(self: AssertionRegistry, uses: Sequence[AssertionUse]) -> MarkedUses:
        return await sound(
            self, [replace(use, remember_seconds=use.remember_seconds - LEEWAY) for use in uses]
        )

    return patch.object(AssertionRegistry, "mark_used", mark_used)


def mark_by_the_uuid_alone() -> Without:
    return patch.object(assertions, "issuers_of", lambda realm, client: (client.uuid,))


def bring_nothing_back() -> Without:
    async def restore_marks(self: AssertionRegistry, epoch: int, marks: Sequence[Mark]) -> bool:
        return True

    return patch.object(AssertionRegistry, "restore_marks", restore_marks)


def accept_claims_of_any_epoch() -> Without:
    sound = ReplayMemory.note

    def note(self: ReplayMemory, epoch: int, marks: Iterable[Mark]) -> bool:
        sound(self, epoch, marks)
        return True

    return patch.object(ReplayMemory, "note", note)


def believe_in_old_claimants() -> Without:
    return patch.object(ClaimantKeeper, "forget", lambda self: None)


def keep_overtaken_reads() -> Without:
    never = property(lambda flight: False, lambda flight, value: None)
    return patch.object(Flight, "overtaken", never)


def answer_from_superseded_states() -> Without:
    return patch.object(ReadSet, "superseded", False)


def take_every_cached_token_for_current() -> Without:
    return patch.multiple(VerifiedAccessToken, is_current=True, let_states_go=lambda _: None)


def take_any_event_for_the_next() -> Without:
    return patch.object(Position, "follows", lambda self, earlier: True)


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
    sound = Replica.decide

    class Held:
        """A lease whose state is given."""

        state = LeaseState.HELD

    async def decide(self: Replica, decision: Callable[[ReadSet], Awaitable[Any]]) -> Any:
        self.require_lease()
        unchecked = Replica(self._cache, Held(), self._metrics)  # type: ignore[arg-type]  # asked for its state only
        return await sound(unchecked, decision)

    return patch.object(Replica, "decide", decide)


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


def take_any_log_for_the_one_that_projections_come_from() -> Without:
    async def has(self: Relay, point: LogPoint) -> bool:
        return True

    return patch.object(Relay, "_has", has)


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


def believe_whatever_redis_holds() -> Without:
    """Check no signatures."""
    return patch.object(LogVerificationKeys, "verify", lambda self, message, signature: None)


def mark_by_the_newest_partitioning() -> Without:
    sound = Partitioning.of
    return patch.object(Partitioning, "of", lambda self, jti: sound(self, jti)[-1:])


def give_partitions_up_at_once() -> Without:
    def next_partitioning(known: Partitioning, wanted: int, agreed: object, now: float) -> Partitioning:
        return Partitioning((wanted,)) if wanted in known.counts else known.joined_by((wanted,))

    return patch.object(repartitioning, "next_partitioning", next_partitioning)
