"""Parses the answers received on a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import h11


@dataclass(frozen=True)
class Answer:
    """``status``: 0 for octets that are not an answer."""

    status: int
    fields: dict[bytes, bytes]


NO_ANSWER = Answer(0, {})


def read_answers(received: bytes, methods: Sequence[bytes]) -> list[Answer]:
    """Return the complete answers. ``methods``: of the requests, since the answer to HEAD has no body."""
    answers = []
    for method in chain(methods, repeat(b"GET")):
        if not received:
            break
        answer, rest = _read_one(received, method)
        if method == b"HEAD" and rest and not rest.startswith(b"HTTP/"):
            answer, rest = _read_one(received, b"GET")  # of a server that refused before it knew the method
        if answer is None:
            break
        answers.append(answer)
        received = rest
    return answers


def _read_one(received: bytes, method: bytes) -> tuple[Answer | None, bytes]:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=2**20)
    asked = method if method == b"HEAD" else b"GET"
    connection.send(h11.Request(method=asked, target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(received)
    answer = None
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                answer = Answer(event.status_code, dict(event.headers))
            elif isinstance(event, h11.EndOfMessage):
                return answer, connection.trailing_data[0]
            elif event is h11.NEED_DATA:
                connection.receive_data(b"")  # the close may end the body
            elif isinstance(event, h11.ConnectionClosed):
                return None, b""
    except h11.RemoteProtocolError:
        # Cut off by the close, or never HTTP.
        return (answer, b"") if answer else (None if b"HTTP/1.".startswith(received[:7]) else NO_ANSWER, b"")
