"""The protections of the protocol, by name, each with a way to switch it off.

What a run finds without one shows what it is for, and that the simulation would notice its loss. Production
code has no such switches: scripts are edited before they are compiled, methods are replaced.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from tests.simulation import replacements
from tests.simulation.redis_model.scripts import ScriptEngine

Replace = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Protection:
    """``edits``: for scripts by name, a text and what stands there instead. ``replace``: changes to Python
    code while a run lasts."""

    name: str
    means: str
    edits: tuple[tuple[str, str, str], ...] = ()
    replace: Replace | None = None


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
        ),
        replace=replacements.accept_any_id,
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
    ),
    Protection(
        "waits-after",
        "after leases may have been lost, no wait succeeds before they have ended",
        edits=(("common", "redis.call('HSET', head, 'waits_after', text(now + lease_ms + margin_ms))", ""),),
    ),
    Protection(
        "replay-barrier",
        "after replay memory was lost, assertions issued before are refused",
        edits=(("common", "redis.call('HSET', head, 'replay_barrier', text(now))", ""),),
    ),
    Protection(
        "trusted-claims",
        "assertions are claimed only in a Redis that is vouched for",
        edits=(("claim_assertions", "if not trusted(KEYS[1]) then return { 'untrusted' } end", ""),),
    ),
    Protection(
        "remembering-longer",
        "a used assertion is remembered for as long as any clock of the fleet may accept it",
        replace=replacements.remember_by_one_clock,
    ),
    Protection(
        "load-guard",
        "a read that began before a change is thrown away and made again",
        replace=replacements.keep_overtaken_reads,
    ),
    Protection(
        "superseded-states",
        "a decision is made again when a state it rests on changed meanwhile",
        replace=replacements.answer_from_superseded_states,
    ),
    Protection(
        "gap-detection",
        "at a gap or a new epoch a node forgets everything",
        replace=replacements.take_any_event_for_the_next,
    ),
    Protection(
        "lease",
        "a node without a lease does not answer",
        replace=replacements.answer_without_a_lease,
    ),
    Protection(
        "lease-before-send",
        "a lease counts from before the renewal was sent",
        replace=replacements.count_leases_from_the_answer,
    ),
    Protection(
        "lease-at-head",
        "a lease counts only once everything up to the head it came with is applied",
        replace=replacements.count_leases_at_once,
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
    ),
    Protection(
        "applied-before-reported",
        "a node reports a position once it has applied it",
        replace=replacements.report_what_is_not_applied,
    ),
    Protection(
        "same-log",
        "a wait counts only by a Redis that is about the database's own log",
        replace=replacements.wait_by_numbers_alone,
    ),
    Protection(
        "fleet-state",
        "an epoch is opened only by who found the database's record of the last one unchanged",
        replace=replacements.overwrite_the_fleet_state,
    ),
)  # fmt: skip

PROTECTIONS: Final = {protection.name: protection for protection in _ALL}


@contextmanager
def without(names: Iterable[str]) -> Iterator[ScriptEngine]:
    """An engine for runs without these protections. Raises KeyError for a name that is none."""
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
        yield ScriptEngine(edit)
