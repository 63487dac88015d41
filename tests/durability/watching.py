"""Observers of the stream, as a node sees it, and of the relays, as an operator sees them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from keyturn_shared.events import MESSAGE_FIELD
from keyturn_shared.fleet.layout import Layout
from tests.testkit.credentials_instances import Instance, Surroundings
from tests.testkit.single_request import NoAnswerError, send

_SAMPLE_SECONDS = 0.1
_ONE_MOMENT_SECONDS = 1.0
_ANSWER_SECONDS = 10.0


_Answer = list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]] | None
"""Entries by stream, as a client that decodes nothing has them."""


@dataclass
class Stream:
    """Every entry of the stream, read as a node reads it: (epoch, sequence, event as JSON bytes)."""

    redis: Redis
    entries: list[tuple[int, int, bytes]] = field(default_factory=list)

    @property
    def newest(self) -> int:
        return self.entries[-1][1] if self.entries else 0

    async def follow(self) -> None:
        """Follow until cancelled."""
        position, name = b"0-0", Layout().events
        while True:
            try:
                answer = cast("_Answer", await self.redis.xread({name: position}, count=500, block=200))
            except (RedisError, OSError):
                await asyncio.sleep(0.05)
                continue
            for _, entries in answer or []:
                for identifier, fields in entries:
                    position = identifier
                    epoch, _, sequence = identifier.decode().partition("-")
                    self.entries.append((int(epoch), int(sequence), fields[MESSAGE_FIELD.encode()]))


@dataclass
class RelayWatch:
    """Watches which instance reports that it relays. ``takeovers``: seconds without a relay until another one
    took over. ``twice``: samples in which two reported it."""

    surroundings: Surroundings
    relaying: Instance | None = None
    samples: int = 0
    twice: int = 0
    takeovers: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        last: Instance | None = None
        last_seen = loop.time()
        while True:
            begun = loop.time()
            said = await asyncio.gather(*(_relays(each) for each in self.surroundings.instances))
            ended = loop.time()
            active = [each for each, yes in zip(self.surroundings.instances, said, strict=True) if yes]
            # Answers far apart in time do not describe one moment.
            if ended - begun < _ONE_MOMENT_SECONDS:
                self.samples += 1
                # The first may have lost its right before the second got it, between the two answers.
                self.twice += len(active) > 1 and await _relays(active[0])
            self.relaying = active[0] if len(active) == 1 else None
            if self.relaying is not None:
                if last is not None and self.relaying is not last:
                    self.takeovers.append(ended - last_seen)
                last, last_seen = self.relaying, ended
            await asyncio.sleep(_SAMPLE_SECONDS)


async def _relays(instance: Instance) -> bool:
    with suppress(NoAnswerError):
        answer = await send("GET", f"{instance.url}/metrics", timeout=_ANSWER_SECONDS)
        return b"\nkeyturn_relay_active 1.0" in answer.body
    return False
