"""A server's reading of a stream whose right reading is unknown, and the comparison of two servers."""

from dataclasses import dataclass

from tests.testkit.http_reading.answers import read_answers
from tests.testkit.http_reading.echo import FIELD, read_description
from tests.testkit.http_reading.exchange import Received
from tests.testkit.http_reading.stream import LAST_MESSAGE, Message


@dataclass(frozen=True)
class Reading:
    """``statuses``: of answers by the server itself."""

    messages: tuple[Message, ...]
    statuses: tuple[int, ...]
    closed: bool

    @property
    def reached_the_end(self) -> bool:
        """Return whether the last request was read."""
        return LAST_MESSAGE in self.messages

    def __str__(self) -> str:
        return ", ".join([*map(str, self.messages), *map(str, self.statuses), "" if self.closed else "open"])


def read(received: Received) -> Reading:
    """Derive the reading from the messages that the echo described. Answers to HEAD are found by trying."""
    methods: list[bytes] = []
    while True:
        answers = read_answers(received.octets, methods)
        described = [read_description(each.fields[FIELD])[0] for each in answers if FIELD in each.fields]
        found = [message.method for message in described]
        heads = [b"HEAD" if method == b"HEAD" else b"GET" for method in found]
        if heads == methods or len(methods) > len(heads):
            break
        methods = heads
    statuses = tuple(each.status for each in answers if FIELD not in each.fields)
    return Reading(tuple(described), statuses, received.closed)


def differ(ours: Reading, reference: Reading) -> bool:
    """Return whether both read different messages before one of them stopped."""
    both = list(zip(ours.messages, reference.messages, strict=False))
    if any(one != other for one, other in both):
        return True
    if len(ours.messages) > len(reference.messages):
        return reference.reached_the_end
    return len(ours.messages) < len(reference.messages) and ours.reached_the_end
