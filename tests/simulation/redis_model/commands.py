"""The commands, by name: (data, ms of Redis' clock, arguments) to a reply.

Replies: int, bytes, list, None, and ``Status``. Those in ``WRITES`` are copied to the replica in the form of
``as_replicated``.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.simulation.redis_model.data import CommandError, Data, Stream, StreamId

Arguments = Sequence[bytes]
Effects = list[tuple[bytes, Arguments]]
"""The changes of a command or a script, in the form for its replica."""


class Status(bytes):
    """A status reply: ``OK``."""


OK: Final = Status(b"OK")


def hget(data: Data, now: int, a: Arguments) -> Any:
    return data.hash(a[0], now).get(a[1])


def hmget(data: Data, now: int, a: Arguments) -> Any:
    fields = data.hash(a[0], now)
    return [fields.get(name) for name in a[1:]]


def hgetall(data: Data, now: int, a: Arguments) -> Any:
    return [each for pair in data.hash(a[0], now).items() for each in pair]


def hvals(data: Data, now: int, a: Arguments) -> Any:
    return list(data.hash(a[0], now).values())


def hset(data: Data, now: int, a: Arguments) -> Any:
    if len(a) < 3 or len(a) % 2 == 0:
        raise CommandError("ERR wrong number of arguments for 'hset' command")
    fields = data.hash(a[0], now, create=True)
    before = len(fields)
    fields.update(zip(a[1::2], a[2::2], strict=True))
    return len(fields) - before


def hsetnx(data: Data, now: int, a: Arguments) -> Any:
    fields = data.hash(a[0], now, create=True)
    if a[1] in fields:
        return 0
    fields[a[1]] = a[2]
    return 1


def hdel(data: Data, now: int, a: Arguments) -> Any:
    fields = data.hash(a[0], now)
    removed = sum(fields.pop(name, None) is not None for name in a[1:])
    data.drop_if_empty(a[0])
    return removed


def get(data: Data, now: int, a: Arguments) -> Any:
    return data.string(a[0], now)


def mget(data: Data, now: int, a: Arguments) -> Any:
    found = [data.peek(key, now) for key in a]
    return [value if isinstance(value, bytes) else None for value in found]


def set_(data: Data, now: int, a: Arguments) -> Any:
    options = [option.upper() for option in a[2:]]
    if b"NX" in options and data.peek(a[0], now) is not None:
        return None
    data.delete(a[0])
    data.values[a[0]] = a[1]
    for name, base in ((b"PX", now), (b"PXAT", 0)):
        if name in options:
            data.expires[a[0]] = base + _integer(options[options.index(name) + 1])
    return OK


def exists(data: Data, now: int, a: Arguments) -> Any:
    return sum(data.peek(key, now) is not None for key in a)


def unlink(data: Data, now: int, a: Arguments) -> Any:
    return sum(data.peek(key, now) is not None and data.delete(key) for key in a)


def rename(data: Data, now: int, a: Arguments) -> Any:
    value = data.peek(a[0], now)
    if value is None:
        raise CommandError("ERR no such key")
    expires = data.expires.get(a[0])
    data.delete(a[0])
    data.delete(a[1])
    data.values[a[1]] = value
    if expires is not None:
        data.expires[a[1]] = expires
    return OK


def pexpire(data: Data, now: int, a: Arguments) -> Any:
    return pexpireat(data, now, [a[0], b"%d" % (now + _integer(a[1]))])


def pexpireat(data: Data, now: int, a: Arguments) -> Any:
    if data.peek(a[0], now) is None:
        return 0
    data.expires[a[0]] = _integer(a[1])
    return 1


def pttl(data: Data, now: int, a: Arguments) -> Any:
    if data.peek(a[0], now) is None:
        return -2
    return data.expires[a[0]] - now if a[0] in data.expires else -1


def xadd(data: Data, now: int, a: Arguments) -> Any:
    """``XADD key MAXLEN ~ n id field value …``. Trims to exactly n, the most that ``~`` allows."""
    limit, at = _integer(a[3]), parse_id(a[4])
    stream = data.stream(a[0], now, create=True)
    if refuses(stream, at):
        raise CommandError("ERR The ID specified in XADD is equal or smaller than the target stream top item")
    stream.entries.append((at, list(a[5:])))
    stream.last = max(at, stream.last)
    del stream.entries[: max(0, len(stream.entries) - limit)]
    return a[4]


def refuses(stream: Stream, at: StreamId) -> bool:
    """Return whether the id is refused: ids only grow."""
    return at <= stream.last


def xrange(data: Data, now: int, a: Arguments) -> Any:
    """``XRANGE key [(]start + [COUNT n]``."""
    exclusive, start = a[1][:1] == b"(", parse_id(a[1].lstrip(b"("))
    stream = data.stream(a[0], now)
    count = _integer(a[4]) if len(a) > 4 else len(stream.entries)
    found = [entry for entry in stream.entries if entry[0] > start or (entry[0] == start and not exclusive)]
    return [[b"%d-%d" % at, fields] for at, fields in found[:count]]


def xinfo(data: Data, now: int, a: Arguments) -> Any:
    """``XINFO STREAM key``, with the fields that are used."""
    if data.peek(a[1], now) is None:
        raise CommandError("ERR no such key")
    stream = data.stream(a[1], now)
    return [b"length", len(stream.entries), b"last-generated-id", b"%d-%d" % stream.last]


def zadd(data: Data, now: int, a: Arguments) -> Any:
    members = data.sorted_set(a[0], now, create=True)
    before = len(members)
    members[a[2]] = float(a[1])
    return len(members) - before


def zrem(data: Data, now: int, a: Arguments) -> Any:
    members = data.sorted_set(a[0], now)
    removed = sum(members.pop(name, None) is not None for name in a[1:])
    data.drop_if_empty(a[0])
    return removed


def zscore(data: Data, now: int, a: Arguments) -> Any:
    score = data.sorted_set(a[0], now).get(a[1])
    return None if score is None else _number(score)


def zcard(data: Data, now: int, a: Arguments) -> Any:
    return len(data.sorted_set(a[0], now))


def zcount(data: Data, now: int, a: Arguments) -> Any:
    return len(_between(data, now, a))


def zrange(data: Data, now: int, a: Arguments) -> Any:
    """``ZRANGE key first last [WITHSCORES]`` by rank, from the front."""
    found = data.sorted_set(a[0], now).ordered()[_integer(a[1]) : _integer(a[2]) + 1]
    return _flat(found, with_scores=len(a) > 3)


def zrangebyscore(data: Data, now: int, a: Arguments) -> Any:
    """``ZRANGEBYSCORE key low high WITHSCORES LIMIT offset count``."""
    offset, count = _integer(a[5]), _integer(a[6])
    return _flat(_between(data, now, a)[offset : offset + count], with_scores=True)


def zremrangebyscore(data: Data, now: int, a: Arguments) -> Any:
    return zrem(data, now, [a[0], *(name for name, _ in _between(data, now, a))])


def flushall(data: Data, now: int, a: Arguments) -> Any:
    data.values.clear()
    data.expires.clear()
    return OK


COMMANDS: Final[dict[bytes, Callable[[Data, int, Arguments], Any]]] = {
    function.__name__.strip("_").upper().encode(): function
    for function in (
        exists, flushall, get, hdel, hget, hgetall, hmget, hset, hsetnx, hvals, mget, pexpire, pexpireat,
        pttl, rename, set_, unlink, xadd, xinfo, xrange, zadd, zcard, zcount, zrange, zrangebyscore, zrem,
        zremrangebyscore, zscore,
    )
}  # fmt: skip
WRITES: Final = frozenset(
    b"FLUSHALL HDEL HSET HSETNX PEXPIRE PEXPIREAT RENAME SET UNLINK XADD ZADD ZREM ZREMRANGEBYSCORE".split()
)


def as_replicated(name: bytes, a: Arguments, now: int) -> tuple[bytes, Arguments]:
    """Convert a write to its replica's form: without conditions, and with absolute times instead of
    durations."""
    if name == b"PEXPIRE":
        return b"PEXPIREAT", [a[0], b"%d" % (now + _integer(a[1]))]
    if name == b"SET" and b"PX" in a:
        milliseconds = _integer(a[a.index(b"PX") + 1])
        return b"SET", [a[0], a[1], b"PXAT", b"%d" % (now + milliseconds)]
    return name, a


def replay(data: Data, effects: Effects, now: int) -> None:
    """Repeat a primary's changes on a replica's data."""
    for name, arguments in effects:
        COMMANDS[name](data, now, arguments)


def parse_id(text: bytes) -> StreamId:
    epoch, _, sequence = text.partition(b"-")
    return int(epoch), int(sequence or 0)


def _between(data: Data, now: int, a: Arguments) -> list[tuple[bytes, float]]:
    low, high = float(a[1]), float(a[2])
    return [each for each in data.sorted_set(a[0], now).ordered() if low <= each[1] <= high]


def _flat(members: list[tuple[bytes, float]], *, with_scores: bool) -> list[bytes]:
    if not with_scores:
        return [name for name, _ in members]
    return [each for name, score in members for each in (name, _number(score))]


def _integer(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise CommandError("ERR value is not an integer or out of range") from None


def _number(score: float) -> bytes:
    return b"%d" % score if score == int(score) else repr(score).encode()
