"""Uses of credentials are written rarely, and again if Redis did not accept them."""

from collections.abc import Mapping

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.last_used import Use
from keyturn_shared.oauth.client_authentication.last_used import RESOLUTION_SECONDS, LastUsedRecorder
from tests.testkit.clocks import SetClock


class Notebook:
    def __init__(self) -> None:
        self.written: list[dict[Use, float]] = []
        self.broken = False

    async def write(self, uses: Mapping[Use, float]) -> None:
        if self.broken:
            raise RedisUnavailableError("away")
        self.written.append(dict(uses))


@pytest.fixture
def clock() -> SetClock:
    return SetClock(1000.0)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


async def test_a_credential_is_written_at_most_once_a_minute(clock: SetClock, notebook: Notebook) -> None:
    uses = LastUsedRecorder(notebook, clock)
    for _ in range(3):
        uses.note("client", "key:a")
    uses.note("client", "key:b")
    await uses.write()
    assert notebook.written == [{("client", "key:a"): 1000.0, ("client", "key:b"): 1000.0}]
    clock.time += RESOLUTION_SECONDS - 1
    uses.note("client", "key:a")
    await uses.write()
    assert len(notebook.written) == 1
    clock.time += 1
    uses.note("client", "key:a")
    await uses.write()
    assert notebook.written[1:] == [{("client", "key:a"): 1060.0}]


async def test_what_redis_did_not_take_is_written_later(clock: SetClock, notebook: Notebook) -> None:
    uses = LastUsedRecorder(notebook, clock)
    uses.note("client", "key:a")
    notebook.broken = True
    with pytest.raises(RedisUnavailableError):
        await uses.write()
    notebook.broken = False
    await uses.write()
    assert notebook.written == [{("client", "key:a"): 1000.0}]


async def test_memory_is_bounded(clock: SetClock, notebook: Notebook) -> None:
    uses = LastUsedRecorder(notebook, clock, capacity=2)
    for number in range(10):
        uses.note("client", f"key:{number}")
    await uses.write()
    assert len(notebook.written[0]) == 2


async def test_a_clock_that_is_put_back_does_not_hide_what_is_used_from_then_on(
    clock: SetClock, notebook: Notebook
) -> None:
    uses = LastUsedRecorder(notebook, clock)
    clock.time = 100_000.0
    uses.note("client", "key:a")
    await uses.write()
    clock.time = 1000.0
    uses.note("client", "key:a")
    await uses.write()
    assert notebook.written[1:] == [{("client", "key:a"): 1000.0}]
