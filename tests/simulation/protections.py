"""The protections of the protocol, by name, each with a way to disable it.

A violation found without a protection shows what it is for, and that the simulation would notice its loss.
Production code has no such switches: scripts are edited before they are compiled, methods are replaced.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from tests.simulation import replacements
from tests.simulation.redis_model.scripts import ScriptEngine
from tests.testkit import removed_protections

Replace = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Protection:
    """``edits``: of scripts, by name: a text and its replacement. ``replace``: changes to Python code during
    a run. ``faults``: the kinds it protects against; a run without it has only these, since all kinds
    together could hide a violation. Empty: all kinds."""

    name: str
    means: str
    edits: tuple[tuple[str, str, str], ...] = ()
    replace: Replace | None = None
    faults: tuple[str, ...] = ()


_ANOTHER_LOG: Final = (
    ("publish", "if sequence == newest and newest_id ~= ARGV[3] then return 'diverged' end", ""),
    ("publish", "if newest_id ~= ARGV[4] then return 'diverged' end", ""),
)
_ALL: Final = (
    Protection(
        "atomic-publish",
        "one script writes an event, its projections and the head",
        replace=replacements.publish_in_two_steps,
    ),
    Protection(
        "explicit-ids",
        "an event gets its number as its id, and once: Redis takes no id that is not newer than all before",
        edits=(
            ("publish", "if sequence <= newest then return 'duplicate' end", ""),
            ("publish", "if sequence ~= newest + 1 then return 'gap' end", ""),
            *_ANOTHER_LOG,
        ),
        replace=replacements.accept_any_id,
        faults=("stop_instance", "bad_weather"),
    ),
    Protection(
        "one-chain",
        "an event follows the one that precedes it in the database's log",
        edits=_ANOTHER_LOG,
        faults=("set_back_unnoticed", "relays_take_turns", "database_fails_over"),
    ),
    Protection(
        "latest-known",
        "projections newer than the head count only while the database has the event they come from",
        edits=(
            ("common", "return tonumber(latest[1] or '0') <= newest or latest[2] == known_id", "return true"),
        ),
        replace=replacements.take_any_log_for_the_one_that_projections_come_from,
        faults=("database_fails_over", "change_while_read", "lose_latest_change", "fail_over"),
    ),
    Protection(
        "signatures",
        "what Redis holds counts only with the signature of the log's key (with --intruded)",
        replace=replacements.believe_whatever_redis_holds,
    ),
    Protection(
        "epoch-check",
        "a projection is read in the node's own epoch",
        edits=(("load", "if head[1] ~= ARGV[1] then return { 'other_epoch' } end", ""),),
    ),
    Protection(
        "vouching",
        "a Redis process gives nothing before the relay compared it with the database",
        edits=(
            ("common", "return vouched and vouched ~= '' and vouched == run_id()", "return vouched and true"),
        ),
    ),
    Protection(
        "comparison",
        "the relay fills a Redis anew that has less than the database",
        replace=replacements.carry_over_whatever_is_there,
        faults=("lose_latest_change",),
    ),
    Protection(
        "waits-after",
        "after leases may have been lost, no wait succeeds before they have ended",
        edits=(("common", "redis.call('HSET', head, 'waits_after', text(now + lease_ms + margin_ms))", ""),),
    ),
    Protection(
        "replay-barrier",
        "after replay memory was lost, assertions issued before are refused",
        edits=(
            ("common", "local barrier, floor = now, tonumber(known) or now", "local barrier, floor = 0, 0"),
        ),
    ),
    Protection(
        "awaited-memory",
        "the replay barrier falls only when all that may have accepted assertions have brought their memory",
        edits=(("keep_claimants", "awaited = awaited or value == '0'", ""),),
    ),
    Protection(
        "returned-memory",
        "a node says that Redis has all it remembers once that is so",
        replace=replacements.bring_nothing_back,
    ),
    Protection(
        "claims-of-this-epoch",
        "once a node has begun to bring its memory, what it claimed in an earlier epoch counts for nothing"
        " (a second line behind superseded-states)",
        replace=replacements.accept_claims_of_any_epoch,
    ),
    Protection(
        "forgotten-memory",
        "the barrier stands for what was accepted by nodes that are gone with their memory",
        edits=(
            ("keep_claimants", "if redis.call('HDEL', KEYS[2], node) == 1 then forgotten = now end",
             "redis.call('HDEL', KEYS[2], node)"),
        ),
        faults=("lose_after_farewell",),
    ),
    Protection(
        "lost-memory",
        "the barrier does not fall when a node whose memory is awaited is given up",
        edits=(
            ("keep_claimants", "if redis.call('HGET', KEYS[2], node) == '0' then floor = barrier end", ""),
        ),
        faults=("kill_node", "restart_empty", "silence"),
    ),
    Protection(
        "admission",
        "a node claims assertions only when the relay knows of it",
        edits=(
            ("claim_assertions", "elseif head[4] == '1' and not redis.call('HGET', KEYS[2], ARGV[2]) then",
             "elseif false then"),
        ),
        faults=("lose_with_newcomer",),
    ),
    Protection(
        "unbroken-knowledge",
        "a relay that has not led without a break does not say who may have accepted assertions",
        replace=replacements.believe_in_old_claimants,
        faults=("relays_take_turns",),
    ),
    Protection(
        "trusted-claims",
        "assertions are claimed only in a Redis that is vouched for",
        edits=(("claim_assertions", "if not trusted(KEYS[1]) then return { 'untrusted' } end", ""),),
        faults=("lose_latest_marks",),
    ),
    Protection(
        "remembering-longer",
        "a used assertion is remembered for as long as any clock of the fleet may accept it",
        replace=replacements.remember_by_one_clock,
        faults=("replay_late",),
    ),
    Protection(
        "both-partitionings",
        "while the number of partitions changes, an assertion is marked in one of each number",
        replace=replacements.mark_by_the_newest_partitioning,
    ),
    Protection(
        "remembered-partitions",
        "a number of partitions is given up once every mark that may be needed is under the other one",
        replace=replacements.give_partitions_up_at_once,
    ),
    Protection(
        "marks-by-name",
        "an assertion is marked as used by what it names, which outlives the client's UUID",
        replace=replacements.mark_by_the_uuid_alone,
        faults=("bad_weather",),
    ),
    Protection(
        "lost-projections",
        "a projection is absent only if the projections as a whole are there",
        edits=(("load", "if lost_projections(head[1], head[4], KEYS[2]) then return { 'lost' } end", ""),),
    ),
    Protection(
        "load-guard",
        "a read that began before a change is thrown away and made again",
        replace=replacements.keep_overtaken_reads,
        faults=("change_while_read",),
    ),
    Protection(
        "superseded-states",
        "a decision is made again when a state it rests on changed meanwhile",
        replace=replacements.answer_from_superseded_states,
    ),
    Protection(
        "current-tokens",
        "a token that was verified before counts only while the states it was verified with are current",
        replace=replacements.take_every_cached_token_for_current,
    ),
    Protection(
        "gap-detection",
        "at a gap or a new epoch a node forgets everything",
        replace=replacements.take_any_event_for_the_next,
    ),
    Protection(
        "lease",
        "a node without a lease does not answer",
        replace=removed_protections.answer_without_a_lease,
    ),
    Protection(
        "lease-before-send",
        "a lease counts from before the renewal was sent",
        replace=replacements.count_leases_from_the_answer,
        faults=("bad_weather", "silence"),
    ),
    Protection(
        "lease-at-head",
        "a lease counts only once everything up to the head it came with is applied",
        replace=replacements.count_leases_at_once,
        faults=("silence", "bad_weather"),
    ),
    Protection(
        "decision-instant",
        "the lease is judged when an answer is decided, not when it is begun",
        replace=replacements.judge_the_lease_at_the_beginning,
    ),
    Protection(
        "clock-through-stops",
        "the clock of leases runs on while a process is stopped",
        replace=replacements.stop_clocks_with_their_processes,
    ),
    Protection(
        "margin",
        "the record of a lease lives longer than the lease",
        replace=replacements.leases_without_margin,
        faults=("silence",),
    ),
    Protection(
        "applied-before-reported",
        "a node reports a position once it has applied it",
        replace=replacements.report_what_is_not_applied,
        faults=("silence", "bad_weather"),
    ),
    Protection(
        "same-log",
        "a wait counts only by a Redis that is about the database's own log",
        replace=replacements.wait_by_numbers_alone,
        faults=("set_back_unnoticed",),
    ),
    Protection(
        "ended-tokens",
        "a token carries how often all its client's tokens had been ended, and counts until the next time",
        replace=removed_protections.count_no_ended_tokens,
    ),
    Protection(
        "fleet-state",
        "an epoch is opened only by who found the database's record of the last one unchanged",
        replace=replacements.overwrite_the_fleet_state,
        faults=("close_slowly",),
    ),
)  # fmt: skip

PROTECTIONS: Final = {protection.name: protection for protection in _ALL}


def faults_for(missing: Iterable[str]) -> frozenset[str]:
    """Return the kinds of fault against which these protect; none in particular if one of them needs all."""
    named = [PROTECTIONS[name].faults for name in missing]
    return frozenset[str]().union(*named) if all(named) else frozenset()


@contextmanager
def without(names: Iterable[str], *, counting: bool = False) -> Iterator[ScriptEngine]:
    """Make an engine for runs without these protections. Raises KeyError for an unknown name."""
    off = [PROTECTIONS[name] for name in names]
    edits = [edit for protection in off for edit in protection.edits]

    def edit(name: str, text: str) -> str:
        for script, there, instead in edits:
            if script == name or script == "common":
                if there not in text:
                    raise ValueError(f"{name}.lua has no {there!r} any more")
                text = text.replace(there, instead)
        return text

    with ExitStack() as stack:
        for protection in off:
            if protection.replace is not None:
                stack.enter_context(protection.replace())
        yield ScriptEngine(edit, counting=counting)
