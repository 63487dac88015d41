"""Judgement whether anything was granted after its end."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.integration.revocation.cast import AT_ONCE, SECONDS, Cast, at_once
from tests.integration.revocation.deployment import Server
from tests.integration.revocation.probes import Outcome, probe
from tests.integration.revocation.subjects import Subject
from tests.testkit.waiting import wait_until

Asked = tuple[Server, Subject]
_PAUSE_SECONDS = 1.0
"""Between two rounds in which everybody is asked: processes that recover need the processor too."""


@dataclass
class Judgement:
    """``violations``: in words, all of a circumstance."""

    cast: Cast
    violations: list[str] = field(default_factory=list)

    def asked(self, subjects: Iterable[Subject]) -> list[Asked]:
        return [(server, each) for each in subjects for server in self.cast.servers(each)]

    async def ask(self, asked: Iterable[Asked], most: int = AT_ONCE) -> list[Asked]:
        """Ask once; return those that got neither yes nor no. ``most``: concurrent requests."""
        return [each for each in await at_once(self._ask, asked, most) if each is not None]

    async def until_refused(self) -> None:
        """Ask until every process has answered yes or no for every subject."""
        left = self.asked(self.cast.ending)

        async def none_left() -> bool:
            nonlocal left
            left = await self.ask(left)
            return not left

        with suppress(AssertionError):
            await wait_until(none_left, timeout=SECONDS, interval=_PAUSE_SECONDS)
        self.violations += [f"{each.cell}: neither granted nor refused" for _, each in left]

    async def until_kept_are_granted(self) -> None:
        """Wait until all kept subjects are served by every process again, and no others."""
        ended = self.asked(self.cast.ending)
        serving = asyncio.create_task(self.cast.until_granted(self.cast.kept))
        while not serving.done():
            await self.ask(ended)
            await asyncio.wait([serving], timeout=_PAUSE_SECONDS)
        await serving

    async def streams_end(self) -> None:
        """Check that open streams end, and report nothing changed after their end."""
        marker = await self.cast.mark()
        ended = await asyncio.gather(*(stream.ended() for stream in self.cast.streams))
        for stream, has_ended in zip(self.cast.streams, ended, strict=True):
            if not has_ended:
                self.violations.append(f"{stream.subject.cell}: the open stream goes on")
            if stream.newest >= marker:
                self.violations.append(f"{stream.subject.cell}: the open stream told of a later change")

    async def _ask(self, asked: Asked) -> Asked | None:
        server, subject = asked
        outcome, words = await probe(self.cast.deployment, server, subject)
        if outcome is Outcome.GRANTED:
            self.violations.append(f"{subject.cell}: {words} from {server.name}")
        return asked if outcome is Outcome.UNDECIDED else None
