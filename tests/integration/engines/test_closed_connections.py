"""Connections closed by the client itself: in a cluster, a call that finds it down closes those of all
calls."""

from urllib.parse import urlsplit

import pytest
from redis.asyncio import Connection

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.redis_failures import redis_answers


class Closed(Connection):
    """A connection that another call closes right before it is used."""

    async def check_health(self) -> None:
        await self.disconnect(nowait=True)


async def test_a_connection_that_was_closed_before_it_was_used_is_redis_that_cannot_be_asked(
    redis_url: str,
) -> None:
    url = urlsplit(redis_url)
    connection = Closed(port=url.port or 6379, password=url.password)
    with pytest.raises(RedisUnavailableError, match="its connection was closed"), redis_answers("asking"):
        await connection.send_command("PING")


async def test_a_mistake_of_our_own_is_not_taken_for_redis() -> None:
    with pytest.raises(AttributeError, match="nothing"), redis_answers("asking"):
        None.nothing  # type: ignore[attr-defined]  # noqa: B018 - the mistake
