"""Tasks end when they are told to, also when they overhear it once."""

import asyncio

from keyturn_shared.tasks import end_tasks


async def overhears(times: int) -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if times == 0:
                raise
            times -= 1


async def fails_at_the_end() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise ValueError("broken on the way out")


async def test_a_cancellation_that_got_lost_is_repeated() -> None:
    task = asyncio.create_task(overhears(2))
    await asyncio.sleep(0)
    await end_tasks([task], again_seconds=0)
    assert task.cancelled()


async def test_what_tasks_raise_on_the_way_out_ends_nobody_else() -> None:
    tasks = [asyncio.create_task(fails_at_the_end()), asyncio.create_task(overhears(0))]
    await asyncio.sleep(0)
    await end_tasks(tasks)
    assert all(task.done() for task in tasks)


async def test_ended_tasks_need_nothing() -> None:
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    await end_tasks([task])
    await end_tasks([])
