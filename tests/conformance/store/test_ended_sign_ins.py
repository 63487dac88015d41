"""Ended sign-ins and sessions are known to every instance, and forgotten once they are of no use."""

import asyncio

from keyturn_credentials.store.ended_sign_ins import end, ended_among, forget_ended, spend
from tests.conformance.store.conftest import ACTOR, Instance


async def spent(instance: Instance, digest: str, seconds: float = 60.0) -> bool:
    async with instance.store.change(ACTOR) as transaction:
        return await spend(transaction, digest, seconds=seconds)


async def found(instance: Instance, *digests: str) -> set[str]:
    async with instance.store.find() as reading:
        return set(await ended_among(reading, digests))


async def test_one_of_several_instances_uses_a_number_up(instance: Instance, other: Instance) -> None:
    results = await asyncio.gather(*(spent(each, "a") for each in (instance, other) * 5))
    assert sorted(results) == [False] * 9 + [True]
    assert await spent(other, "b")


async def test_an_end_is_known_to_another_instance_and_may_come_again(
    instance: Instance, other: Instance
) -> None:
    times = []
    for _ in range(2):
        async with instance.store.change(ACTOR) as transaction:
            await end(transaction, ["a", "b"], seconds=60.0)
            times.append(transaction.now)
    async with other.store.find() as reading:
        assert await ended_among(reading, ["a", "c"]) == {"a": times[1]}
    assert times[0] < times[1]


async def test_what_is_of_no_use_any_more_is_forgotten(instance: Instance) -> None:
    await spent(instance, "old", -1.0)
    await spent(instance, "older", -1.0)
    await spent(instance, "new")
    async with instance.store.change(ACTOR) as transaction:
        assert await forget_ended(transaction, transaction.now, 1) == 1
    assert await instance.operations.retention.forget_sign_ins() == 1
    assert await found(instance, "old", "older", "new") == {"new"}


async def test_what_ends_again_has_ended_later_by_whatever_clock(instance: Instance) -> None:
    times: list[float] = []
    for late in (0, 60, 60):
        async with instance.store.change(ACTOR) as transaction:
            transaction.now -= late
            await end(transaction, ["a"], seconds=10)
        async with instance.store.find() as reading:
            times.append((await ended_among(reading, ["a"]))["a"])
    assert times == sorted(set(times))
    assert times[-1] - times[0] < 1
