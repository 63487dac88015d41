"""Waiting for what another process or task will do."""

import asyncio
import inspect
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import httpx
import pytest

T = TypeVar("T")


def find_free_port() -> int:
    """A loopback port that is free now; somebody else may take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    return find_free_port()


async def wait_until(
    predicate: Callable[[], T | Awaitable[T]], timeout: float = 10.0, interval: float = 0.02
) -> T:
    """What ``predicate`` gives, as soon as that is true. An AssertionError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        seen = predicate()
        value: T = await seen if inspect.isawaitable(seen) else seen
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout:g} s; last seen: {value!r}"
        await asyncio.sleep(interval)


def wait_until_blocking(predicate: Callable[[], T], timeout: float = 10.0, interval: float = 0.02) -> T:
    """The same without an event loop."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        assert time.monotonic() < deadline, f"not within {timeout:g} s; last seen: {value!r}"
        time.sleep(interval)
    return value


async def until_ready(url: str, *, seconds: float) -> None:
    """Wait until ``/health/ready`` of a process answers 200. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=url, timeout=2.0) as client:
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if (await client.get("/health/ready")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise TimeoutError(f"{url} did not become ready within {seconds} s")
