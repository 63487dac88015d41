"""Waiting for other processes and tasks."""

import asyncio
import inspect
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar, overload

import httpx
import pytest

from tests.testkit.ports import find_free_port

T = TypeVar("T")

_LONGEST_PAUSE_SECONDS: Final = 0.25
"""Between two looks: a long wait takes no processor from what is waited for."""


@pytest.fixture
def free_port() -> int:
    """Return an unused loopback port."""
    return find_free_port()


@overload
async def wait_until(
    predicate: Callable[[], Awaitable[T | None]], timeout: float = 120.0, interval: float = 0.02
) -> T: ...


@overload
async def wait_until(
    predicate: Callable[[], T | None], timeout: float = 120.0, interval: float = 0.02
) -> T: ...


async def wait_until(
    predicate: Callable[[], Awaitable[T | None] | T | None], timeout: float = 120.0, interval: float = 0.02
) -> T:
    """Return the first true result of ``predicate``, asked after ``interval`` seconds at first, then less
    and less often. Raises AssertionError after ``timeout`` seconds."""
    deadline, pause = time.monotonic() + timeout, interval
    while True:
        seen = predicate()
        value: T | None = await seen if inspect.isawaitable(seen) else seen
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout:g} s; last seen: {value!r}"
        await asyncio.sleep(pause)
        pause = min(1.5 * pause, max(interval, _LONGEST_PAUSE_SECONDS))


async def in_time(awaited: Awaitable[T], seconds: float = 60.0) -> T:
    """Return the result. Raises TimeoutError after this many seconds, more than any test needs on any
    machine."""
    async with asyncio.timeout(seconds):
        return await awaited


async def happens(event: asyncio.Event, *, within: float) -> bool:
    """Wait for an event, at most this many seconds; return whether it came."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()


def wait_until_blocking(
    predicate: Callable[[], T | None], timeout: float = 120.0, interval: float = 0.02
) -> T:
    """The same without an event loop."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        assert time.monotonic() < deadline, f"not within {timeout:g} s; last seen: {value!r}"
        time.sleep(interval)
    return value


async def until_ready(url: str, *, seconds: float, trust: ssl.SSLContext | None = None) -> None:
    """Wait until ``/health/ready`` of a process answers 200. Raises TimeoutError. ``trust``: for https."""
    deadline = time.monotonic() + seconds
    verify = True if trust is None else trust
    async with httpx.AsyncClient(base_url=url, timeout=2.0, trust_env=False, verify=verify) as client:
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if (await client.get("/health/ready")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise TimeoutError(f"{url} did not become ready within {seconds} s")
