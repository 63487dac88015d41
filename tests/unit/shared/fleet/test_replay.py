"""What the fleet remembers of used assertions, and for how long."""

from collections.abc import Sequence
from typing import Any

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse, Claim
from keyturn_shared.fleet.scripts import Argument, Call


class Recorded:
    """Scripts that note what they were run with."""

    def __init__(self, reply: list[Any]) -> None:
        self.reply = reply
        self.arguments: list[Argument] = []

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        self.arguments = list(arguments)
        return self.reply

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        return [await self.run(name, *call) for call in calls]


@pytest.mark.parametrize(("seconds", "milliseconds"), [(60.0, 75_000), (0.0, 15_000), (-3.0, 15_000)])
async def test_a_use_is_remembered_until_the_slowest_clock_refuses_the_assertion(
    seconds: float, milliseconds: int
) -> None:
    scripts = Recorded([b"claimed", 1])
    use = AssertionUse("client", "jti", seconds, issued_at=1_700_000_000.25)
    assert await AssertionRegistry(scripts, 15.0).claim([use]) == [Claim.CLAIMED]
    assert scripts.arguments == [15_000, milliseconds, 1_700_000_000_250]


async def test_a_redis_that_is_not_trusted_is_no_memory() -> None:
    with pytest.raises(RedisUnavailableError):
        await AssertionRegistry(Recorded([b"untrusted"]), 15.0).claim(
            [AssertionUse("client", "jti", 1.0, 0.0)]
        )
