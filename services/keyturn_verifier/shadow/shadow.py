"""The queue between answers that were given and the other server: bounded, and never waited for."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from prometheus_client import CollectorRegistry, Counter

from keyturn_shared.jose import strict_json
from keyturn_shared.oauth.web.form import read_form
from keyturn_shared.oauth.web.messages import JSON_TYPE, Reply, Request
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_verifier.shadow.comparison import compare
from keyturn_verifier.shadow.other_server import ShadowError

MAX_WAITING: Final = 256
"""Questions in the queue; each is at most as long as a request's body."""
WORKERS: Final = 4
"""Questions that the other server is asked at a time."""


class Introspects(Protocol):
    """The other server."""

    async def introspect(self, realm: str, token: str) -> dict[str, Any]: ...

    async def close(self) -> None: ...


class ShadowMetrics:
    """Metrics of the comparison."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.compared = Counter(
            "keyturn_shadow_comparisons",
            "Introspections compared: agreed, differed, only_here, only_there",
            ["kind"],
            registry=registry,
        )
        self.members = Counter(
            "keyturn_shadow_differing_members",
            "Members that differed where both sides described the token",
            ["member"],
            registry=registry,
        )
        self.failed = Counter(
            "keyturn_shadow_failures",
            "Questions without a usable answer, by reason",
            ["reason"],
            registry=registry,
        )
        self.dropped = Counter(
            "keyturn_shadow_dropped", "Questions not asked because too many were waiting", registry=registry
        )


@dataclass(frozen=True, slots=True)
class _Question:
    realm: str
    token: str
    answer: bytes


class Shadow:
    """Asks the other server about a ``share`` of what this node answered, from 0 to 1."""

    def __init__(
        self,
        other: Introspects,
        share: float,
        registry: CollectorRegistry,
        *,
        elapsed: Callable[[], float],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._other = other
        self._share = share
        self._draw = draw
        self._metrics = ShadowMetrics(registry)
        self._waiting: asyncio.Queue[_Question] = asyncio.Queue(MAX_WAITING)
        self.tasks = [
            SupervisedTask(f"shadow-{number}", self._work, elapsed=elapsed)
            for number in range(1, WORKERS + 1)
        ]

    def offer(self, request: Request, reply: Reply) -> None:
        """Take note of an introspection that was answered, if it is drawn and there is room. Never waits."""
        if reply.status != 200 or JSON_TYPE not in reply.headers or self._draw() >= self._share:
            return
        if self._waiting.full():
            self._metrics.dropped.inc()
            return
        token = read_form(request.body).get("token")  # not the caller's credentials
        if token is not None:
            self._waiting.put_nowait(_Question(request.realm, token, reply.body))

    async def start(self) -> None:
        for task in self.tasks:
            await task.start()

    async def stop(self) -> None:
        """Stop, and forget what is waiting."""
        for task in self.tasks:
            await task.stop()
        await self._other.close()

    async def _work(self) -> float:
        """Ask about the next one. After a failure, the supervised task pauses, longer each time, while the
        queue overflows: a server that is away is asked every few seconds."""
        question = await self._waiting.get()
        try:
            there = await self._other.introspect(question.realm, question.token)
        except ShadowError as error:
            self._metrics.failed.labels(error.reason).inc()
            raise
        kind, members = compare(strict_json.decode_object(question.answer), there)
        self._metrics.compared.labels(kind.value).inc()
        for member in members:
            self._metrics.members.labels(member).inc()
        return 0.0


class Answering(Protocol):
    """An endpoint that answers without waiting where it can."""

    async def __call__(self, request: Request) -> Reply: ...

    def at_once(self, request: Request) -> Reply | None: ...


class ShadowedEndpoint:
    """Introspection whose answers are offered to the shadow after they were decided."""

    def __init__(self, endpoint: Answering, shadow: Shadow) -> None:
        self._endpoint = endpoint
        self._shadow = shadow

    def at_once(self, request: Request) -> Reply | None:
        """Answer without waiting, if the endpoint can."""
        reply = self._endpoint.at_once(request)
        if reply is not None:
            self._shadow.offer(request, reply)
        return reply

    async def __call__(self, request: Request) -> Reply:
        reply = await self._endpoint(request)
        self._shadow.offer(request, reply)
        return reply
