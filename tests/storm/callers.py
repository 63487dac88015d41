"""Callers in a storm: administrators who change clients at a steady rate, and programs that present current
and ended credentials."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Final

from tests.storm.actors import Actor
from tests.storm.credentials import (
    PLACES_OF_TOKENS,
    AccessToken,
    Credential,
    Shown,
    as_asker,
    at_forward_auth,
    at_token_endpoint,
    at_verify,
)
from tests.storm.probes import Probes
from tests.storm.recorder import AbandonedError, Recorder

_MAX_CONCURRENT: Final = 100
_MOVES_AT_ONCE: Final = 40


class Callers:
    """``moves``: number of changes begun, with their consequences. ``skipped``: changes left out because too
    many were in progress. ``abandoned``: why a client was given up."""

    def __init__(self, actors: list[Actor], recorder: Recorder, probes: Probes, draw: random.Random) -> None:
        self.moves = 0
        self.skipped = 0
        self.abandoned: list[str] = []
        self._actors = actors
        self._recorder = recorder
        self._probes = probes
        self._random = draw
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_MAX_CONCURRENT)
        self._moving = 0

    async def run(self, *, rate: float, asks: float, seconds: float) -> None:
        """Begin ``rate`` moves and ``asks`` requests per second, for that long, whatever the results."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._change(rate, seconds))
            both.create_task(self._ask(asks, seconds))

    async def finish(self) -> None:
        """Wait until everything begun is over."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def ask_about_everything(self, nodes: int) -> None:
        """Present each client's newest credential at some nodes."""
        for actor in self._actors:
            for _ in range(nodes):
                self._begin(self._show(actor, actor.means.live[-1]))
        await self.finish()

    async def _change(self, rate: float, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        turn = itertools.cycle(self._actors)
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
            idle = (each for each in itertools.islice(turn, len(self._actors)) if not each.busy)
            actor = next(idle, None)
            if actor is None or self._moving >= _MOVES_AT_ONCE:
                self.skipped += 1
                continue
            actor.busy = True
            self.moves += 1
            self._begin(self._move(actor))

    async def _move(self, actor: Actor) -> None:
        self._moving += 1
        try:
            await actor.move()
        except AbandonedError as error:
            self.abandoned.append(str(error))
        else:
            actor.busy = False
        finally:
            self._moving -= 1

    async def _ask(self, asks: float, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(round(asks * seconds)):
            await asyncio.sleep(max(0.0, begun + number / asks - loop.time()))
            actor = self._random.choice(self._actors)
            newest = [*actor.means.live[:1], *actor.means.live[-1:]]
            self._begin(self._show(actor, self._random.choice([*actor.known, *newest])))

    async def _show(self, actor: Actor, what: Credential | AccessToken) -> None:
        shown = self._shown(what)
        server = self._probes.any_way(self._random, gateway=not shown.by_certificate)
        async with self._room:
            await self._recorder.show(server, shown)

    def _shown(self, what: Credential | AccessToken) -> Shown:
        if isinstance(what, AccessToken):
            return self._random.choice(PLACES_OF_TOKENS)(what)
        places: list[Callable[[Credential], Shown]] = [at_token_endpoint, as_asker]
        if what.sign is not None:
            places += [at_verify, at_forward_auth]
        return self._random.choice(places)(what)

    def _begin(self, call: Awaitable[None]) -> None:
        task = asyncio.ensure_future(call)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
