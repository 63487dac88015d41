"""A verifier that leaves out some events: it reports them as applied, and forgets nothing.

``DEAF_TO``: the type of the events. ``DEAF_TURNS``: of each four events of this type, which ones, such as
``0`` or ``0,1,2,3``.
"""

import os
import re
from typing import Final

import msgspec

from keyturn.__main__ import main
from keyturn_shared.events import KnownEvent, UnknownEvent, decode_event
from keyturn_verifier.replica import event_applier

_TURNS: Final = 4


class DeafDecoder:
    """Decodes events, and empties those to leave out."""

    def __init__(self, kind: str, turns: frozenset[int]) -> None:
        self._kind = kind
        self._turns = turns
        self._seen = 0

    def __call__(self, data: bytes) -> KnownEvent | UnknownEvent:
        event = decode_event(data)
        if re.search(rb'"type":"(\w+)"', data)[1].decode() != self._kind:  # type: ignore[index]  # all have one
            return event
        turn, self._seen = self._seen % _TURNS, self._seen + 1
        return msgspec.structs.replace(event, touches=()) if turn in self._turns else event


if __name__ == "__main__":
    turns = frozenset(map(int, os.environ["DEAF_TURNS"].split(",")))
    vars(event_applier)["decode_event"] = DeafDecoder(os.environ["DEAF_TO"], turns)
    main()
