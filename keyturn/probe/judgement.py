"""Judgement of a round, from what was observed alone. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keyturn.admin_cli.exits import ExitCode
from keyturn.admin_cli.fleet_answer import FleetAnswer

FAILED_EXIT: Final = 6
"""Exit code of a round that could not be completed for another reason than those of ``ExitCode``."""


class Result(StrEnum):
    """Result of a round; if several apply, the first of them."""

    BROKEN = "broken"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    UNREACHABLE = "unreachable"
    HELD = "held"


class CheckName(StrEnum):
    """Names of the checks, by what is ended: the former secret, everything of the client, or its tokens."""

    SECRET = "secret"  # noqa: S105 - a name
    DISABLED = "disabled"
    TOKENS = "tokens"


class Place(StrEnum):
    """Endpoints of a node where a credential is presented."""

    TOKEN = "token endpoint"  # noqa: S105 - a name
    INTROSPECTION = "introspection"
    VERIFY = "/verify"
    FORWARD_AUTH = "forward-auth"


class Answer(StrEnum):
    """A node's answer. UNDECIDED: neither accepted nor refused, such as 503. UNREACHED: no answer."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    UNREACHED = "unreached"


_NO_DECISION: Final = (Answer.UNDECIDED, Answer.UNREACHED)


@dataclass(frozen=True, slots=True)
class Observation:
    """A node's first answer to a credential. ``refused_after``: seconds from the start of the call that ended
    the credential until the node refused it, None if that was not seen. ``detail``: for a person."""

    node: str
    place: Place
    answer: Answer
    detail: str = ""
    refused_after: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A call that ends something, and the nodes' answers. ``fleet``: the fleet's answer in the call's
    response, None without one. ``call_seconds``: from the call's start to its return. ``ended``: answers to
    what the call has ended, requested after it returned. ``valid``: answers to what must be accepted, before
    and after it."""

    name: CheckName
    fleet: FleetAnswer | None
    call_seconds: float
    ended: tuple[Observation, ...] = ()
    valid: tuple[Observation, ...] = ()

    @property
    def is_confirmed(self) -> bool:
        return self.fleet is not None and self.fleet.is_safe

    @property
    def effect_seconds(self) -> float | None:
        """Seconds from the call's start until the last node refused; None unless all did."""
        seen = [each.refused_after for each in self.ended]
        times = [seconds for seconds in seen if seconds is not None]
        return max(times) if times and len(times) == len(seen) else None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A reason why a round ended early. ``unconfirmed``: nodes may not have applied a change that it
    needs."""

    detail: str
    exit_code: ExitCode = ExitCode.FAILED
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """All that was observed in a round. ``fleet_nodes``: how many nodes the fleet has, None if unknown.
    ``unresolved``: names without an address, each with the reason. ``changed_by_others``: somebody else
    changed the canary between a call and the answers to it."""

    checks: tuple[Check, ...] = ()
    fleet_nodes: int | None = None
    unresolved: tuple[str, ...] = ()
    trouble: Trouble | None = None
    changed_by_others: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason for the result, as a sentence without a full stop. ``node``, ``check``: which one, if it is
    one's."""

    result: Result
    detail: str
    node: str | None = None
    check: CheckName | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a round with the reasons, and the nodes by whether all their answers were decided."""

    result: Result
    findings: tuple[Finding, ...]
    reached: tuple[str, ...]
    unreached: tuple[str, ...]
    exit_code: int


def judge(seen: Round) -> Verdict:
    """Judge a round."""
    findings = (
        *_trouble(seen),
        *(finding for check in seen.checks for finding in _of_check(check, seen.changed_by_others)),
        *_unjudged(seen),
        *_missing(seen),
    )
    present = {finding.result for finding in findings}
    result = next((each for each in Result if each in present), Result.HELD)
    unreached = _unreached(seen)
    reached = tuple(sorted(_asked(seen) - unreached))
    exit_code = _exit_code(result, seen.trouble)
    return Verdict(result, findings, reached, tuple(sorted(unreached)), exit_code)


def _of_check(check: Check, changed_by_others: bool) -> Iterator[Finding]:
    if not check.is_confirmed:
        said = "its response does not say which nodes applied it"
        if check.fleet is not None:
            said = check.fleet.sentence()
        yield Finding(Result.UNCONFIRMED, said, check=check.name)
    for each in check.ended:
        if each.answer is Answer.ACCEPTED and check.is_confirmed:
            yield _accepted(each, check, changed_by_others)
    for each in check.valid:
        if each.answer is Answer.REFUSED:
            detail = f"{each.node} refuses the canary's valid credential at {each.place}: {each.detail}"
            yield Finding(Result.FAILED, detail, each.node, check.name)


def _accepted(seen: Observation, check: Check, changed_by_others: bool) -> Finding:
    where = f"{seen.node} accepted what the call had ended, at {seen.place}"
    if changed_by_others:
        detail = f"{where}, but somebody else changed the canary meanwhile: is there another prober?"
        return Finding(Result.FAILED, detail, seen.node, check.name)
    until = "and did not refuse it while the prober watched"
    if seen.refused_after is not None:
        late = seen.refused_after - check.call_seconds
        until = f"and refused it {1000 * late:.0f} ms after the call had returned"
    return Finding(Result.BROKEN, f"{where}, {until}", seen.node, check.name)


def _unjudged(seen: Round) -> Iterator[Finding]:
    """Tell of each node that did not decide, with its first such answer."""
    told = set[str]()
    for check in seen.checks:
        for each in (*check.valid, *check.ended):
            if each.answer in _NO_DECISION and each.node not in told:
                told.add(each.node)
                yield Finding(Result.UNREACHABLE, f"{each.node}: {each.detail}", each.node, check.name)


def _trouble(seen: Round) -> Iterator[Finding]:
    if seen.trouble is None:
        return
    result = Result.FAILED
    if seen.trouble.unconfirmed:
        result = Result.UNCONFIRMED
    elif seen.trouble.exit_code is ExitCode.UNREACHABLE:
        result = Result.UNREACHABLE
    yield Finding(result, seen.trouble.detail)


def _missing(seen: Round) -> Iterator[Finding]:
    """Tell of nodes that were not asked, or not found."""
    for detail in seen.unresolved:
        yield Finding(Result.UNREACHABLE, detail)
    reached = len(_asked(seen) - _unreached(seen))
    if seen.trouble is None and seen.fleet_nodes is not None and reached < seen.fleet_nodes:
        detail = f"the fleet has {seen.fleet_nodes} nodes with a lease, and {reached} were reached"
        yield Finding(Result.UNREACHABLE, detail)


def _asked(seen: Round) -> set[str]:
    return {each.node for check in seen.checks for each in (*check.valid, *check.ended)}


def _unreached(seen: Round) -> set[str]:
    answers = (each for check in seen.checks for each in (*check.valid, *check.ended))
    return {each.node for each in answers if each.answer in _NO_DECISION}


def _exit_code(result: Result, trouble: Trouble | None) -> int:
    if result is Result.FAILED:
        of_command = trouble is not None and trouble.exit_code in (ExitCode.USAGE, ExitCode.NOT_ALLOWED)
        return int(trouble.exit_code) if trouble is not None and of_command else FAILED_EXIT
    return {
        Result.BROKEN: int(ExitCode.FAILED),
        Result.UNCONFIRMED: int(ExitCode.UNCONFIRMED),
        Result.UNREACHABLE: int(ExitCode.UNREACHABLE),
        Result.HELD: int(ExitCode.DONE),
    }[result]
