"""A process without some of its protections: ``python -m tests.storm.without NAME+NAME verifier``.

Production code has no such switches. The check from outside must notice the consequences.
"""

import sys
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Final
from unittest.mock import patch

import msgspec

from keyturn.cli import main as keyturn
from keyturn_shared.events import ClientKeyRevoked, KnownEvent, UnknownEvent, decode_event
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse, MarkedUses
from keyturn_verifier.replica import event_applier
from tests.testkit.removed_protections import answer_without_a_lease, count_no_ended_tokens

KEY_EVENTS: Final = "key-events"
CLAIMS: Final = "claims"
TOKEN_COUNTS: Final = "token-counts"
LEASES: Final = "leases"


def _ignore_revoked_keys() -> AbstractContextManager[object]:
    """The node reports these events as applied, but keeps the states that they change."""

    def decode(payload: bytes) -> KnownEvent | UnknownEvent:
        event = decode_event(payload)
        return msgspec.structs.replace(event, touches=()) if isinstance(event, ClientKeyRevoked) else event

    return patch.object(event_applier, "decode_event", decode)


def _take_assertions_again() -> AbstractContextManager[object]:
    """The marks of an assertion are never the same."""
    sound = AssertionRegistry.mark_used

    async def mark_used(self: AssertionRegistry, uses: Sequence[AssertionUse]) -> MarkedUses:
        return await sound(self, [replace(use, jti=f"{use.jti} {uuid.uuid4()}") for use in uses])

    return patch.object(AssertionRegistry, "mark_used", mark_used)


WITHOUT: Final[dict[str, Callable[[], AbstractContextManager[object]]]] = {
    KEY_EVENTS: _ignore_revoked_keys,
    CLAIMS: _take_assertions_again,
    TOKEN_COUNTS: count_no_ended_tokens,
    LEASES: answer_without_a_lease,
}


def main() -> None:
    with ExitStack() as lacking:
        for name in sys.argv.pop(1).split("+"):
            lacking.enter_context(WITHOUT[name]())
        keyturn()


if __name__ == "__main__":
    main()
