"""Kinds of things that are wrong, with their meaning and what to do. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """PROBLEM: callers or operators are affected, or will be soon. WARNING: works, and should be changed."""

    PROBLEM = "problem"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A kind of finding. ``means`` and ``advice`` are sentences for the person on call."""

    code: str
    severity: Severity
    means: str
    advice: str
