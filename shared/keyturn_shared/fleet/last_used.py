"""Last use of credentials, recorded by the nodes for people to read.

It is lost with Redis, and up to a minute late. Only rotations depend on it: they wait for the use of a new
credential.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Any, Final

from redis.asyncio import Redis

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text
from keyturn_shared.fleet.scripts import Argument, RedisScripts
from keyturn_shared.redis_failures import redis_answers

KEPT_SECONDS: Final = 180 * 86_400
MAX_CREDENTIALS: Final = 64
"""Credentials recorded per client, so that a record does not grow with every rotation."""

Use = tuple[str, str]
"""A client's UUID and the name of one of its credentials."""


def name_of_key(thumbprint: str) -> str:
    """Name a key by its RFC 7638 thumbprint."""
    return f"key:{thumbprint}"


def name_of_secret(digest: str) -> str:
    """Name a secret by its digest under the fleet keys, shortened so that it reveals nothing."""
    return f"secret:{hashlib.sha256(digest.encode()).hexdigest()[:16]}"


class LastUsedRegistry:
    """One hash per client. Every method raises RedisUnavailableError."""

    def __init__(self, redis: Redis, layout: Layout | None = None) -> None:
        self._redis = redis
        self._scripts = RedisScripts(redis)
        self._layout = layout or Layout()

    async def write(self, uses: Mapping[Use, float]) -> None:
        """Record the time of each use in NumericDate seconds, in one round trip."""
        keys = [self._layout.uses(client_uuid) for client_uuid, _ in uses]
        arguments: list[Argument] = [KEPT_SECONDS, MAX_CREDENTIALS]
        for (_, name), at in uses.items():
            arguments += [name, int(at)]
        if keys:
            await self._scripts.run("note_uses", keys, arguments)

    async def read(self, client_uuid: str) -> dict[str, float]:
        """Return the names of a client's credentials and their last use. What is no time was not written by
        keyturn, and is passed over."""
        with redis_answers("reading when credentials were last used"):
            found = await self._redis.hgetall(self._layout.uses(client_uuid))
        times = {as_text(name): _time(at) for name, at in found.items()}
        return {name: at for name, at in times.items() if at is not None}


def _time(value: Any) -> float | None:
    try:
        at = float(value)
    except ValueError:
        return None
    return at if math.isfinite(at) else None
