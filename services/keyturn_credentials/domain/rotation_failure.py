"""Reasons why a rotation cannot go on, as data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

MAX_FAILED_STEPS: Final = 10
"""A rotation whose step could not be taken so many times fails."""


class FailureCode(StrEnum):
    """Reason of a failure. Callers and metrics rely on these codes."""

    CLIENT_DISABLED = "client_disabled"
    CREDENTIAL_NOT_USED = "credential_not_used"
    KEYS_MOVED = "keys_moved"
    NO_USABLE_KEY = "no_usable_key"
    SUCCESSOR_REVOKED = "successor_revoked"
    STEP_FAILED = "step_failed"


_DETAILS: Final = {
    FailureCode.CLIENT_DISABLED: "The client has been disabled for longer than its policy waits.",
    FailureCode.CREDENTIAL_NOT_USED: "The client no longer authenticates with this kind of credential.",
    FailureCode.KEYS_MOVED: "The client's keys were moved to a URL, or from one, during the rotation.",
    FailureCode.NO_USABLE_KEY: "The client has no usable key any more, neither a former nor a new one.",
    FailureCode.SUCCESSOR_REVOKED: "The new key was revoked or removed while the former one was accepted.",
    FailureCode.STEP_FAILED: f"A step could not be taken {MAX_FAILED_STEPS} times.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """``detail``: for people."""

    code: FailureCode
    detail: str

    @classmethod
    def of(cls, code: FailureCode, cause: str = "") -> Self:
        """Build one. ``cause``: what a person could mend, if that is known."""
        return cls(code, f"{_DETAILS[code]} {cause}".strip())
