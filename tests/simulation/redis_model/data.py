"""Data of a Redis: hashes, strings, streams, sorted sets, and their expiry."""

from dataclasses import dataclass, field
from typing import Self, TypeVar

StreamId = tuple[int, int]
Fields = list[bytes]


class CommandError(Exception):
    """An error reply."""


@dataclass(slots=True)
class Stream:
    """Entries in the order of their ids. ``last``: the newest id there ever was."""

    entries: list[tuple[StreamId, Fields]] = field(default_factory=list)
    last: StreamId = (0, 0)

    def copy(self) -> Self:
        return type(self)(list(self.entries), self.last)


class SortedSet(dict[bytes, float]):
    """Members with their scores."""

    def ordered(self) -> list[tuple[bytes, float]]:
        return sorted(self.items(), key=lambda item: (item[1], item[0]))


Value = bytes | dict[bytes, bytes] | Stream | SortedSet


V = TypeVar("V", bytes, dict[bytes, bytes], Stream, SortedSet)


def _copied(value: Value) -> Value:
    match value:
        case bytes():
            return value
        case SortedSet():
            return SortedSet(value)
        case _:
            return value.copy()


class Data:
    """All keys. ``expires``: milliseconds of Redis' clock."""

    def __init__(self) -> None:
        self.values: dict[bytes, Value] = {}
        self.expires: dict[bytes, int] = {}

    def copy(self) -> "Data":
        """Copy everything, like a full synchronisation."""
        other = Data()
        other.values = {key: _copied(value) for key, value in self.values.items()}
        other.expires = dict(self.expires)
        return other

    def peek(self, key: bytes, now: int) -> Value | None:
        """Return the value, unless it is gone or expired."""
        if key in self.expires and self.expires[key] <= now:
            self.delete(key)
        return self.values.get(key)

    def delete(self, key: bytes) -> bool:
        self.expires.pop(key, None)
        return self.values.pop(key, None) is not None

    def hash(self, key: bytes, now: int, *, create: bool = False) -> dict[bytes, bytes]:
        return self._typed(key, now, dict, create)

    def stream(self, key: bytes, now: int, *, create: bool = False) -> Stream:
        return self._typed(key, now, Stream, create)

    def sorted_set(self, key: bytes, now: int, *, create: bool = False) -> SortedSet:
        return self._typed(key, now, SortedSet, create)

    def string(self, key: bytes, now: int) -> bytes | None:
        return self._typed(key, now, bytes, False) or None

    def drop_if_empty(self, key: bytes) -> None:
        """Drop an empty hash or sorted set, like Redis."""
        if self.values.get(key) == {}:
            self.delete(key)

    def _typed(self, key: bytes, now: int, kind: type[V], create: bool) -> V:
        value = self.peek(key, now)
        if value is None:
            made = kind()
            if create:
                self.values[key] = made
            return made
        if not isinstance(value, kind) or type(value) is not kind:  # a SortedSet is a dict as well
            raise CommandError("WRONGTYPE Operation against a key holding the wrong kind of value")
        return value
