"""Cancelled tasks end."""

import asyncio

import pytest

from keyturn_shared.tasks import end_tasks
from tests.testkit.waiting import in_time


async def test_a_task_that_loses_a_cancellation_is_told_again() -> None:
    """``asyncio.wait_for`` on Python 3.11 can lose one."""
    lost = 0

    async def forgetful() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost == 2:
                    raise
                lost += 1

    task = asyncio.create_task(forgetful())
    await asyncio.sleep(0)
    await in_time(end_tasks(task, None))
    assert task.cancelled()
    assert lost == 2


async def test_tasks_that_have_ended_are_let_be() -> None:
    async def fails() -> None:
        raise ValueError

    failed = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await end_tasks(failed)
    await end_tasks()


async def test_whoever_waits_can_be_cancelled_too() -> None:
    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    released = asyncio.Event()
    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    ending = asyncio.create_task(end_tasks(task))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    released.set()
    await task
