"""Fleet-wide counts of failed authentications."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.scripts import Argument, Scripts


@dataclass(frozen=True, slots=True)
class FailureCount:
    """Failures in a window, and the seconds until the window ends."""

    total: int
    seconds_left: float


class FailureRegistry:
    """Counts in Redis, in windows that begin with a first failure. Raises RedisUnavailableError. It does not
    require a trusted Redis: if a count is lost, a caller gets a few more attempts."""

    def __init__(self, scripts: Scripts, window_seconds: float, layout: Layout | None = None) -> None:
        self._scripts = scripts
        self._window = window_seconds
        self._layout = layout or Layout()

    async def add(self, failures: Mapping[str, int]) -> dict[str, FailureCount]:
        """Increase many counts in one round trip, and return the new counts."""
        names = list(failures)
        keys = [self._layout.failures(name) for name in names]
        arguments: list[Argument] = [round(self._window * 1000), *failures.values()]
        reply = await self._scripts.run("count_failures", keys, arguments)
        return {
            name: FailureCount(int(reply[2 * index]), int(reply[2 * index + 1]) / 1000)
            for index, name in enumerate(names)
        }
