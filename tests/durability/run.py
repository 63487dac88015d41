"""One run from start to verdict."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from keyturn_credentials.relay.event_log import LoggedEvent
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.redis_client import connect
from keyturn_shared.tasks import end_tasks
from tests.durability.judging import judge_log, judge_state, judge_stream, read_log
from tests.durability.kills import Kills
from tests.durability.watching import RelayWatch, Stream
from tests.durability.writers import MARK, Admin, Writer
from tests.testkit.credentials_instances import READY_SECONDS, Surroundings
from tests.testkit.single_request import until_ready
from tests.testkit.waiting import wait_until

_SETTLE_SECONDS = 120.0


@dataclass(frozen=True)
class Verdict:
    """``wrong``: everything that contradicts the guarantee."""

    acknowledged: int
    not_answered: int
    events: int
    kills: Counter[str]
    takeovers: list[float]
    samples: int
    wrong: list[str]


async def run(
    directory: Path,
    *,
    database: str,
    instances: int,
    writers: int,
    seconds: float,
    pause: float,
    seed: int,
    kill_database: bool = False,
) -> Verdict:
    """Write, kill, recover, judge; the directory keeps the logs of the processes."""
    surroundings = Surroundings(directory, database, instances)
    redis = None
    following: list[asyncio.Task[None]] = []
    try:
        await surroundings.start()
        redis = connect(surroundings.redis.url)
        # A relay killed before that would rightly open a new epoch, and one epoch is required here.
        await wait_until(partial(_is_filled, redis), timeout=_SETTLE_SECONDS, interval=0.1)
        stream, watch = Stream(redis), RelayWatch(surroundings)
        following += [asyncio.create_task(stream.follow()), asyncio.create_task(watch.run())]
        admin = Admin(surroundings)
        await admin.log_in()
        callers = [Writer(number, admin, surroundings.instances, seed) for number in range(writers)]
        kills = Kills(surroundings, watch, seed, pause=pause, database=kill_database)
        await _kill_while_writing(kills, callers, seconds)
        for instance in surroundings.instances:
            await until_ready(instance.url, seconds=READY_SECONDS)

        async def relayed() -> bool:
            return stream.newest == len(await read_log(surroundings.settings))

        await wait_until(relayed, timeout=_SETTLE_SECONDS, interval=0.2)
        log = await read_log(surroundings.settings)
        wrong = judge_log(log, callers) + judge_stream(log, stream.entries)
        wrong += await judge_states(surroundings, admin, callers)
        if watch.twice:
            wrong.append(f"two instances relayed at once in {watch.twice} samples")
        return _verdict(log, callers, kills, watch, wrong)
    finally:
        await end_tasks(*following)
        if redis is not None:
            await redis.aclose()
        surroundings.close()


async def _is_filled(redis: Redis) -> bool:
    return await redis.hget(Layout().head, "complete") == b"1"


async def _kill_while_writing(kills: Kills, callers: list[Writer], seconds: float) -> None:
    """Kill for this long, and until one kill of the relaying instance is over, however slow the machine
    is."""
    enough, over = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as running:
        for each in callers:
            running.create_task(each.run(over))
        killing = running.create_task(kills.run(enough))
        await asyncio.sleep(seconds)
        await kills.one_is_over.wait()
        enough.set()
        await killing
        over.set()


def _verdict(
    log: list[LoggedEvent], callers: list[Writer], kills: Kills, watch: RelayWatch, wrong: list[str]
) -> Verdict:
    clients = [client for caller in callers for client in caller.written]
    return Verdict(
        acknowledged=sum(len(client.changes) for client in clients),
        not_answered=sum(client.unanswered for client in clients)
        + sum(caller.unsettled_creations for caller in callers),
        events=len(log),
        kills=kills.counts,
        takeovers=watch.takeovers,
        samples=watch.samples,
        wrong=wrong,
    )


async def judge_states(surroundings: Surroundings, admin: Admin, callers: list[Writer]) -> list[str]:
    wrong: list[str] = []
    for number, client in enumerate(client for caller in callers for client in caller.written):
        instance = surroundings.instances[number % len(surroundings.instances)]
        shown = await admin.call(instance, "GET", f"/{client.uuid}")
        secret = await admin.call(instance, "GET", f"/{client.uuid}/client-secret")
        wrong += judge_state(
            client,
            json.loads(shown.body) if shown.status == 200 else None,
            json.loads(secret.body).get("value") if secret.status == 200 else None,
            MARK,
        )
    return wrong
