"""Phases of an evaluation: decisions made one after the other, each with its checks."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from keyturn_credentials.domain.evaluation import Check, Steps
from keyturn_credentials.errors import CredentialsError
from keyturn_shared.errors import KeyturnError


@dataclass(frozen=True, slots=True)
class Phase:
    """``decide`` raises the error of the check that failed."""

    checks: Sequence[Check]
    decide: Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Texts:
    """More to say, by the names of checks, filled in while decisions are made. ``notes``: if the check has
    passed. ``expected``: what would have, if it failed."""

    notes: dict[str, str] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)


async def run(phases: Sequence[Phase], steps: Steps, texts: Texts) -> bool:
    """Make the decisions up to the first refusal, and add a step for each check. Return whether all passed.
    Raises CredentialsError: an error of this service, such as StoreUnavailableError, is no refusal."""
    for at, phase in enumerate(phases):
        try:
            await phase.decide()
        except CredentialsError:
            raise
        except KeyturnError as error:
            steps.refused(phase.checks, error, texts.notes, texts.expected)
            for later in phases[at + 1 :]:
                steps.not_reached(later.checks)
            return False
        steps.passed(phase.checks, texts.notes)
    return True
