"""Recent refused authentications of clients, recorded by the nodes for people to read.

They are lost with Redis, and a sample: nodes leave most of a flood out. Nothing depends on them.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.redis_failures import redis_answers

MAX_KEPT: Final = 10_000
"""Refusals of all clients together. One has at most some hundred octets."""
KEPT_SECONDS: Final = 7 * 86_400
_PAGE: Final = 1000
_FIELD: Final = "refusal"


class Refusal(msgspec.Struct, frozen=True):
    """``realm`` and ``client_id``: as the caller sent them. ``code``: the reason, see docs/refusals.md.
    ``method``: of OAuth. ``address``: the caller's, None if it is not known. ``at``: NumericDate seconds."""

    realm: str
    client_id: str
    code: str
    method: str
    address: str | None
    at: float


class RefusalRegistry:
    """One stream for all clients, of a limited length. Every method raises RedisUnavailableError."""

    def __init__(self, redis: Redis, layout: Layout | None = None) -> None:
        self._redis = redis
        self._key = (layout or Layout()).refusals

    async def write(self, refusals: Iterable[Refusal]) -> None:
        """Add refusals in one round trip, and drop the oldest."""
        with redis_answers("recording refused authentications"):
            async with self._redis.pipeline(transaction=False) as pipeline:
                for each in refusals:
                    fields: dict[Any, Any] = {_FIELD: msgspec.json.encode(each)}
                    pipeline.xadd(self._key, fields, maxlen=MAX_KEPT, approximate=True)
                pipeline.expire(self._key, KEPT_SECONDS)
                await pipeline.execute()

    async def read(self, realm: str, client_id: str, *, most: int) -> list[Refusal]:
        """Return the newest refusals of a client, newest first. What is none was not written by keyturn, and
        is passed over."""
        found: list[Refusal] = []
        end = "+"
        while len(found) < most:
            with redis_answers("reading refused authentications"):
                page: list[Any] = await self._redis.xrevrange(self._key, end, "-", count=_PAGE) or []
            read = (_read(fields) for _, fields in page)
            found += [each for each in read if each and (each.realm, each.client_id) == (realm, client_id)]
            if len(page) < _PAGE:
                break
            last = page[-1][0]
            end = f"({last.decode() if isinstance(last, bytes) else last}"
        return found[:most]


def _read(fields: dict[bytes, bytes]) -> Refusal | None:
    try:
        return msgspec.json.decode(fields.get(_FIELD.encode(), b""), type=Refusal)
    except msgspec.MsgspecError:
        return None
