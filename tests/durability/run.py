"""One run from start to verdict."""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from keyturn_credentials.relay.event_log import LoggedEvent
from keyturn_shared.redis_client import connect
from tests.durability.instances import Surroundings
from tests.durability.judging import judge_log, judge_state, judge_stream, read_log
from tests.durability.kills import Kills
from tests.durability.watching import RelayWatch, Stream
from tests.durability.writers import MARK, Admin, Writer
from tests.support.waiting import wait_until

_SETTLE_SECONDS = 60.0


@dataclass(frozen=True)
class Verdict:
    """``wrong``: everything that contradicts the promise."""

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
    background: list[asyncio.Task[None]] = []
    try:
        await surroundings.start()
        redis = connect(surroundings.redis.url)
        stream, watch = Stream(redis), RelayWatch(surroundings)
        background += [asyncio.create_task(stream.follow()), asyncio.create_task(watch.run())]
        admin = Admin(surroundings)
        await admin.log_in()
        callers = [Writer(number, admin, surroundings.instances, seed) for number in range(writers)]
        kills = Kills(surroundings, watch, seed, pause=pause, database=kill_database)
        over = asyncio.Event()
        writing = [asyncio.create_task(each.run(over)) for each in callers]
        killing = asyncio.create_task(kills.run())
        await asyncio.sleep(seconds)
        await _cancel(killing)
        await kills.recover()
        over.set()
        await asyncio.gather(*writing)

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
        await _cancel(*background)
        if redis is not None:
            await redis.aclose()
        surroundings.close()


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


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
