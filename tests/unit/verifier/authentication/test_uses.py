"""Uses of credentials are written down, rarely, and again where Redis did not take them."""

from collections.abc import Mapping

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.uses import Use
from keyturn_verifier.authentication.uses import RESOLUTION_SECONDS, CredentialUses
from tests.support.clocks import SetClock


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
    uses = CredentialUses(notebook, clock)
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
    uses = CredentialUses(notebook, clock)
    uses.note("client", "key:a")
    notebook.broken = True
    with pytest.raises(RedisUnavailableError):
        await uses.write()
    notebook.broken = False
    await uses.write()
    assert notebook.written == [{("client", "key:a"): 1000.0}]


async def test_the_loop_survives_a_redis_that_is_away(clock: SetClock, notebook: Notebook) -> None:
    class EnoughError(Exception):
        pass

    turns = iter([None, None, None])

    async def sleep(_: float) -> None:
        if next(turns, EnoughError) is EnoughError:
            raise EnoughError
        notebook.broken = not notebook.broken

    uses = CredentialUses(notebook, clock, sleep=sleep)
    uses.note("client", "key:a")
    with pytest.raises(EnoughError):
        await uses.run()
    assert notebook.written == [{("client", "key:a"): 1000.0}]


async def test_memory_is_bounded(clock: SetClock, notebook: Notebook) -> None:
    uses = CredentialUses(notebook, clock, capacity=2)
    for number in range(10):
        uses.note("client", f"key:{number}")
    await uses.write()
    assert len(notebook.written[0]) == 2


async def test_a_clock_that_is_put_back_does_not_hide_what_is_used_from_then_on(
    clock: SetClock, notebook: Notebook
) -> None:
    uses = CredentialUses(notebook, clock)
    clock.time = 100_000.0
    uses.note("client", "key:a")
    await uses.write()
    clock.time = 1000.0
    uses.note("client", "key:a")
    await uses.write()
    assert notebook.written[1:] == [{("client", "key:a"): 1000.0}]
