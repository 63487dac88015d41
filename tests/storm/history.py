"""Records of a fleet's callers: who sent what where, when it was sent and answered, and the answer. Data.

All times are of one monotonic clock, that of the calling process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf

Register = tuple[str, ...]
"""Something that holds or not, such as that a secret is current or that a client is enabled."""

NOTHING: frozenset[Register] = frozenset()


class Outcome(Enum):
    """Answer to a change's caller."""

    COMPLETE = "complete"
    """Every node applied it, or refuses everything."""
    ACCEPTED = "accepted"
    """It is committed. The answer says nothing about the nodes."""
    UNANSWERED = "unanswered"
    """It was committed, or not, or will be."""


class Verdict(Enum):
    """A node's answer to a presentation."""

    GRANTED = "granted"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    """The node reported that it cannot tell, or did not answer."""


@dataclass(frozen=True, eq=False)
class Change:
    """A call that makes and ends registers. ``settled``: when it was known to be committed. ``complete``:
    when it was reported to be applied everywhere, possibly by a later answer. ``ends_issued_to``: clients
    whose earlier tokens it ends."""

    name: str
    begun: float
    outcome: Outcome
    settled: float = inf
    complete: float = inf
    makes: frozenset[Register] = NOTHING
    ends: frozenset[Register] = NOTHING
    ends_issued_to: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Presentation:
    """A presented credential. ``node``: None behind a gateway. ``needs``: everything that must hold for it to
    be granted. ``single_use``: what may be granted once. ``issued``: the issued token, and ``issued_to`` its
    client, whose end ends it as well."""

    name: str
    place: str
    node: str | None
    sent: float
    answered: float
    verdict: Verdict
    needs: frozenset[Register]
    single_use: str | None = None
    issued: Register | None = None
    issued_to: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Promise:
    """``term``: seconds after which a committed change is safe without a report; infinite if nothing limits
    it."""

    term: float = inf


@dataclass
class History:
    """Appended to during a storm, and judged afterwards."""

    changes: list[Change] = field(default_factory=list)
    presentations: list[Presentation] = field(default_factory=list)


@dataclass(frozen=True)
class Violation:
    """``rule``: the violated one. ``calls``: the two or three that contradict each other, in order."""

    rule: str
    calls: Sequence[Change | Presentation]
    about: Register = ()

    def __str__(self) -> str:
        first = min(_begun(call) for call in self.calls)
        steps = "; ".join(_told(call, first) for call in self.calls)
        return f"{self.rule} ({' '.join(self.about)}): {steps}" if self.about else f"{self.rule}: {steps}"


def _begun(call: Change | Presentation) -> float:
    return call.begun if isinstance(call, Change) else call.sent


def _told(call: Change | Presentation, origin: float) -> str:
    def at(moment: float) -> str:
        return f"{moment - origin:.3f} s"

    if isinstance(call, Presentation):
        where = f"{call.place} of {call.node or 'some node'}"
        return f"{call.name} sent to {where} at {at(call.sent)}, {call.verdict.value} at {at(call.answered)}"
    told = f"{call.name} begun at {at(call.begun)}"
    if call.settled < inf:
        told += f", made by {at(call.settled)}"
    return told + (f", complete at {at(call.complete)}" if call.complete < inf else f", {call.outcome.value}")
