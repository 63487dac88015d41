"""Work that is repeated for as long as its task runs, at growing intervals while it fails."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from keyturn_shared.runtime.backoff import Backoff

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
_JITTER: Final = 0.1

Sleep = Callable[[float], Awaitable[None]]


async def repeat(
    work: Callable[[], Awaitable[float]],
    *,
    survives: tuple[type[Exception], ...],
    failed: Callable[[Exception], None],
    longest_pause: float = LONGEST_PAUSE_SECONDS,
    sleep: Sleep = asyncio.sleep,
) -> NoReturn:
    """Repeat ``work``, which returns the seconds until it is due again; at most a tenth of them is left out
    by chance, so that many clients do not come at once.

    When it raises one of ``survives``, ``failed`` is told, and it is repeated after pauses that grow from one
    second to ``longest_pause``. Any other error ends the repetition.
    """
    backoff, failures = Backoff(FIRST_PAUSE_SECONDS, longest_pause), 0
    while True:
        try:
            wait = await work() * random.uniform(1 - _JITTER, 1)  # noqa: S311 - not a secret
            failures = 0
        except survives as error:
            failed(error)
            failures += 1
            wait = backoff.seconds(failures, random.random())  # noqa: S311 - not a secret
        await sleep(wait)
