"""A document is fetched when it is needed, and no more often than is allowed."""

import asyncio

import pytest

from keyturn_credentials.oidc.errors import SignInError, unavailable
from keyturn_credentials.oidc.refreshed import (
    FRESH_SECONDS,
    LEAST_INTERVAL,
    MAX_WAITING,
    RETRY_SECONDS,
    Refreshed,
)
from tests.testkit.clocks import SetClock


class Source:
    """Counts fetches; fails while ``away``. Sleeping advances the clock."""

    def __init__(self) -> None:
        self.clock = SetClock(50.0)
        self.fetches = 0
        self.away = False
        self.slept: list[float] = []
        self.document = Refreshed(self.fetch, self.clock, sleep=self.sleep)

    async def fetch(self) -> int:
        self.fetches += 1
        await asyncio.sleep(0)
        if self.away:
            raise unavailable("away")
        return self.fetches

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.clock.time += seconds


@pytest.fixture
def source() -> Source:
    return Source()


async def test_a_document_is_kept_for_a_while_and_fetched_once_for_all(source: Source) -> None:
    assert await asyncio.gather(*(source.document.get() for _ in range(5))) == [1] * 5
    source.clock.time += FRESH_SECONDS - 1
    assert await source.document.get() == 1
    source.clock.time += 1
    assert await source.document.get() == 2


async def test_a_failure_is_not_repeated_at_once_and_an_old_document_is_not_used(source: Source) -> None:
    await source.document.get()
    source.clock.time += FRESH_SECONDS
    source.away = True
    for _ in range(3):
        with pytest.raises(SignInError, match="away"):
            await source.document.get()
    assert source.fetches == 2
    source.clock.time += RETRY_SECONDS
    source.away = False
    assert await source.document.get() == 3


async def test_those_who_need_a_newer_one_wait_for_the_next_allowed_fetch_and_share_it(
    source: Source,
) -> None:
    await source.document.get()
    source.clock.time += 4
    assert await asyncio.gather(*(source.document.newer() for _ in range(20))) == [2] * 20
    assert (source.fetches, source.slept) == (2, [LEAST_INTERVAL - 4])


async def test_a_newer_one_is_fetched_at_once_if_the_last_fetch_is_long_ago(source: Source) -> None:
    await source.document.get()
    source.clock.time += LEAST_INTERVAL
    assert await source.document.newer() == 2
    assert source.slept == []


async def test_those_who_share_a_fetch_share_its_failure(source: Source) -> None:
    await source.document.get()
    source.clock.time += LEAST_INTERVAL / 2
    source.away = True
    found = await asyncio.gather(*(source.document.newer() for _ in range(5)), return_exceptions=True)
    assert all(isinstance(each, SignInError) for each in found)
    assert source.fetches == 2
    assert await source.document.get() == 1, "the keys that are known still count"


async def test_those_who_come_one_after_the_other_do_not_repeat_a_failed_fetch_at_once(
    source: Source,
) -> None:
    await source.document.get()
    source.clock.time += LEAST_INTERVAL
    source.away = True
    for _ in range(5):
        with pytest.raises(SignInError, match="away"):
            await source.document.newer()
    assert source.slept == [RETRY_SECONDS] * 4
    source.clock.time += RETRY_SECONDS
    source.away = False
    assert await source.document.newer() == 7


async def test_those_who_wait_are_few(source: Source) -> None:
    await source.document.get()
    found = await asyncio.gather(
        *(source.document.newer() for _ in range(MAX_WAITING + 5)), return_exceptions=True
    )
    assert sum(isinstance(each, SignInError) for each in found) == 5
    assert source.fetches == 2
