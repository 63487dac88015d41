"""Judgement of a server's reading of a stream."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tests.testkit.http_reading.answers import Answer, read_answers
from tests.testkit.http_reading.echo import FIELD, read_description, shortened
from tests.testkit.http_reading.exchange import Received
from tests.testkit.http_reading.stream import LAST_TARGET, PATH, End, Message, Stream

_HEALTH: Final = LAST_TARGET.partition(b"?")[0]
_REFUSALS: Final = frozenset({501, 505})
"""Statuses of 5xx that RFC 9112 names for what a server does not implement."""


class Verdict(Enum):
    AGREES = "agrees"
    REFUSES = "refuses"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Judged:
    """``reading``: the server's, for people."""

    verdict: Verdict
    reading: tuple[str, ...]


def judge_messages(stream: Stream, received: Received, *, errors_refuse: bool = False) -> Judged:
    """Judge by the messages that an echo described. ``errors_refuse``: any 5xx counts as a refusal, of less
    precise servers."""
    answers = read_answers(received.octets, [message.method for message in stream.expected])
    seen, names = [], set[bytes]()
    for answer in answers:
        if FIELD in answer.fields:
            message, fields = read_description(answer.fields[FIELD])
            seen.append(message)
            names |= fields
    reading = [*map(str, seen), *(str(answer.status) for answer in answers if FIELD not in answer.fields)]
    reading += [f"field {name.decode()}" for name in sorted(names & stream.absent)]
    reading.append("closed" if received.closed else "open")
    others = [answer for answer in answers if FIELD not in answer.fields]
    stray = any(not _is_refusal(answer) and not (errors_refuse and answer.status >= 500) for answer in others)
    stray = stray or (bool(others) and FIELD in answers[-1].fields) or len(others) > 1
    expected = _described(stream.expected)
    if stray or names & stream.absent or not received.closed or tuple(seen) != expected[: len(seen)]:
        return Judged(Verdict.DIFFERS, tuple(reading))
    return Judged(_verdict(whole=len(seen) == len(expected)), tuple(reading))


def judge_answers(stream: Stream, received: Received) -> Judged:
    """Judge by the answers of a service: one per message, 200 to requests for its health.

    A service may answer a refused message before it is complete, so an error or two may follow the answers to
    a stream that must not be read to its end. 200 never may: it answers a message.
    """
    answers = read_answers(received.octets, [message.method for message in stream.expected])
    statuses = [answer.status for answer in answers]
    healthy = [message.target.startswith(_HEALTH) for message in stream.expected]
    told, extra = statuses[: len(healthy)], statuses[len(healthy) :]
    reading = (*map(str, statuses), "closed" if received.closed else "open")
    fits = all(is_healthy or status != 200 for status, is_healthy in zip(told, healthy, strict=False))
    may_refuse = len(extra) <= (0 if stream.end is End.GOES_ON else 2)
    if not fits or not may_refuse or not received.closed or 200 in extra:
        return Judged(Verdict.DIFFERS, reading)
    if any(status < 200 or (status >= 500 and status not in _REFUSALS) for status in statuses):
        return Judged(Verdict.DIFFERS, reading)
    whole = len(told) == len(healthy) and (not healthy or healthy[-1] is (told[-1] == 200))
    return Judged(_verdict(whole=whole), reading)


def _verdict(*, whole: bool) -> Verdict:
    return Verdict.AGREES if whole else Verdict.REFUSES


def _is_refusal(answer: Answer) -> bool:
    return 400 <= answer.status < 500 or answer.status in _REFUSALS


def _described(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(Message(each.method, each.target, shortened(each.body)) for each in messages)


def addressed(wire: bytes, path: bytes) -> bytes:
    """Return the wire for a service that takes bodies at ``path``."""
    return wire.replace(PATH, path)
