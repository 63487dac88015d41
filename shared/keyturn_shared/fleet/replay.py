"""One use per assertion in the whole fleet (RFC 7523 section 3, rule 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text
from keyturn_shared.fleet.scripts import Argument, Scripts


class Claim(IntEnum):
    """The fate of a claim. BEFORE_BARRIER: Redis lost what it remembered after the assertion was issued."""

    USED = 0
    CLAIMED = 1
    BEFORE_BARRIER = 2


@dataclass(frozen=True, slots=True)
class AssertionUse:
    """An assertion about to be accepted. ``remember_seconds``: until this node would refuse it anyway.
    ``issued_at``: NumericDate, the latest moment at which it can have been issued."""

    client_uuid: str
    jti: str
    remember_seconds: float
    issued_at: float


class AssertionRegistry:
    """The fleet's memory of used assertions. ``leeway_seconds``: how far any two clocks may be apart. Raises
    RedisUnavailableError, also when Redis is not trusted."""

    def __init__(self, scripts: Scripts, leeway_seconds: float, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._leeway = leeway_seconds
        self._layout = layout or Layout()

    async def claim(self, uses: Sequence[AssertionUse]) -> list[Claim]:
        """Mark assertions as used, many in one round trip; the fate of each, in order."""
        keys = [self._layout.head]
        arguments: list[Argument] = [round(self._leeway * 1000)]
        for use in uses:
            keys.append(self._layout.assertion(use.client_uuid, use.jti))
            # A node whose clock is behind would accept it for longer than the one that asks.
            remember = max(0.0, use.remember_seconds) + self._leeway
            arguments += [max(1, round(remember * 1000)), round(use.issued_at * 1000)]
        reply = await self._scripts.run("claim_assertions", keys, arguments)
        if as_text(reply[0]) != "claimed":
            raise RedisUnavailableError("Redis is not trusted yet to remember used assertions")
        return [Claim(int(result)) for result in reply[1:]]
