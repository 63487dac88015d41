"""What a Redis holds: hashes, strings, streams, sorted sets, and when they expire."""

from dataclasses import dataclass, field
from typing import Self

StreamId = tuple[int, int]
Fields = list[bytes]


class CommandError(Exception):
    """An error reply."""


@dataclass(slots=True)
class Stream:
    """Entries in the order of their ids. ``last`` is the newest id there ever was."""

    entries: list[tuple[StreamId, Fields]] = field(default_factory=list)
    last: StreamId = (0, 0)

    def copy(self) -> Self:
        return type(self)(list(self.entries), self.last)


class SortedSet(dict[bytes, float]):
    """Members with their scores."""

    def ordered(self) -> list[tuple[bytes, float]]:
        return sorted(self.items(), key=lambda item: (item[1], item[0]))


Value = bytes | dict[bytes, bytes] | Stream | SortedSet


class Data:
    """All keys. ``expires``: milliseconds of Redis' clock."""

    def __init__(self) -> None:
        self.values: dict[bytes, Value] = {}
        self.expires: dict[bytes, int] = {}

    def copy(self) -> "Data":
        """A whole synchronisation."""
        other = Data()
        other.values = {
            key: value if isinstance(value, bytes) else value.copy()  # type: ignore[misc]
            for key, value in self.values.items()
        }
        for key, value in self.values.items():
            if isinstance(value, SortedSet):
                other.values[key] = SortedSet(value)
        other.expires = dict(self.expires)
        return other

    def peek(self, key: bytes, now: int) -> Value | None:
        """The value, unless it is gone or expired."""
        if key in self.expires and self.expires[key] <= now:
            self.delete(key)
        return self.values.get(key)

    def delete(self, key: bytes) -> bool:
        self.expires.pop(key, None)
        return self.values.pop(key, None) is not None

    def hash(self, key: bytes, now: int, *, create: bool = False) -> dict[bytes, bytes]:
        value = self._typed(key, now, dict, create)
        if isinstance(value, SortedSet):
            raise CommandError("WRONGTYPE Operation against a key holding the wrong kind of value")
        return value  # type: ignore[return-value]

    def stream(self, key: bytes, now: int, *, create: bool = False) -> Stream:
        return self._typed(key, now, Stream, create)  # type: ignore[return-value]

    def sorted_set(self, key: bytes, now: int, *, create: bool = False) -> SortedSet:
        return self._typed(key, now, SortedSet, create)  # type: ignore[return-value]

    def string(self, key: bytes, now: int) -> bytes | None:
        return self._typed(key, now, bytes, False) or None  # type: ignore[return-value]

    def drop_if_empty(self, key: bytes) -> None:
        """Redis keeps no empty hashes and sorted sets."""
        if self.values.get(key) == {}:
            self.delete(key)

    def _typed(self, key: bytes, now: int, kind: type, create: bool) -> Value:
        value = self.peek(key, now)
        if value is None:
            value = kind()
            if create:
                self.values[key] = value
        elif not isinstance(value, kind):
            raise CommandError("WRONGTYPE Operation against a key holding the wrong kind of value")
        return value  # type: ignore[return-value]
