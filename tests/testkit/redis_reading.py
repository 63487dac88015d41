"""Reading Redis with the types of a client that decodes nothing; redis-py's allow for text as well."""

from typing import Any, cast

from redis.asyncio import Redis


async def execute(redis: Redis, *words: Any) -> Any:
    """Any command, word by word."""
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py gives it no types


async def value_of(redis: Redis, key: str | bytes) -> bytes | None:
    return cast("bytes | None", await redis.get(key))


async def fields_of(redis: Redis, key: str | bytes) -> dict[bytes, bytes]:
    """All of a hash."""
    return cast("dict[bytes, bytes]", await redis.hgetall(key))


async def field_value(redis: Redis, key: str | bytes, field: str) -> bytes | None:
    """One field of a hash."""
    return cast("bytes | None", await redis.hget(key, field))


async def entries_of(redis: Redis, stream: str | bytes) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """All of a stream."""
    return cast("list[tuple[bytes, dict[bytes, bytes]]]", await redis.xrange(stream))
