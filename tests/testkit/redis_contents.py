"""The view of an attacker who reads Redis."""

import itertools
from typing import Any, cast

from redis.asyncio import Redis

from tests.testkit.redis_reading import entries_of


async def everything_in(redis: Redis) -> str:
    """Return all keys with all their values."""
    found: list[bytes] = []
    async for key in redis.scan_iter(count=1000):
        found.append(key)
        match cast("bytes", await redis.type(key)).decode():
            case "string":
                values: Any = [await redis.get(key)]
            case "hash":
                values = itertools.chain.from_iterable((await redis.hgetall(key)).items())
            case "stream":
                values = [part for _, entry in await entries_of(redis, key) for part in entry.values()]
            case "zset":
                values = await redis.zrange(key, 0, -1)
            case "set":
                values = await redis.smembers(key)
            case _:
                values = await redis.lrange(key, 0, -1)
        found += [value for value in values if value is not None]
    return b"\n".join(found).decode("utf-8", "replace")
