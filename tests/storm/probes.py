"""Probes: after a wait said that a credential is accepted nowhere, every node is asked with it."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from tests.storm.clients import TOKEN_TARGET, Credential
from tests.storm.http import Answer, NoAnswerError, Server

_ANSWER_SECONDS = 60.0
_LONGEST_SECONDS = 150.0
_AGAIN_SECONDS = 0.3


@dataclass
class Probed:
    """What the probes saw. ``refusals``: by status; 503 is a node that does not answer for the fleet now.
    ``repeated``: requests that met a dead node, and were sent again until its successor answered."""

    refusals: Counter[int] = field(default_factory=Counter)
    repeated: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Nodes asked, each with an answer, or with one missing that stands among the violations."""
        return self.refusals.total() + len(self.violations)


class Probes:
    """Asks every node until it answers: stopped ones when they go on, killed ones when they are back."""

    def __init__(self, nodes: list[Server]) -> None:
        self.seen = Probed()
        self._nodes = nodes
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, credential: Credential, why: str) -> None:
        """Probe every node with a credential that is to be refused."""
        for node in self._nodes:
            task = asyncio.create_task(self._probe(node, credential, why))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        await asyncio.gather(*self._tasks)

    async def _probe(self, node: Server, credential: Credential, why: str) -> None:
        answer = await self._ask(node, credential)
        if answer is None:
            self.seen.violations.append(f"{node.base_url} never answered about the {credential.name}")
        elif answer.status in (400, 401, 503):
            self.seen.refusals[answer.status] += 1
        else:
            self.seen.violations.append(
                f"{node.base_url} answered {answer.status} to the {credential.name} after {why}"
            )

    async def _ask(self, node: Server, credential: Credential) -> Answer | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _LONGEST_SECONDS
        while loop.time() < until:
            try:
                return await ask_token(node, credential)
            except NoAnswerError:
                self.seen.repeated += 1
                await asyncio.sleep(_AGAIN_SECONDS)
        return None


async def ask_token(node: Server, credential: Credential) -> Answer:
    """A token request at that node. Raises NoAnswerError."""
    headers, body = credential.request()
    return await node.ask("POST", TOKEN_TARGET, headers=headers, body=body, timeout=_ANSWER_SECONDS)
