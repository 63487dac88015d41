"""Runs every target in turn until the time is over. The first fault ends it."""

import asyncio
import contextlib
import logging
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import hypothesis
import structlog
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.errors import KeyturnError
from keyturn_shared.http_server.server import HttpServer
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.oauth.web.form import read_form
from keyturn_shared.redis_client import connect
from keyturn_verifier.web.protocol import HttpProtocol
from tests.fuzz import inputs
from tests.testkit.attacked_node import fill
from tests.testkit.nodes import RunningNode, eventually, running_node

_EXAMPLES: Final = 50
"""Examples of each target per round."""
_VARIANTS: Final = 20
"""Each example is sent as it was drawn, and this many times with some octets changed."""
_ANSWER_SECONDS: Final = 60.0


@dataclass
class Tally:
    """``executions``: by target. ``statuses``: of the endpoints' answers."""

    executions: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


class Scene:
    """A node on a real Redis, reached over ASGI and over a socket, and its loop's complaints."""

    def __init__(self, runner: asyncio.Runner, node: RunningNode, port: int, tally: Tally) -> None:
        self._runner = runner
        self._node = node
        self._port = port
        self._tally = tally
        self.complaints: list[str] = []

    def ask(self, method: str, path: str, query: bytes, headers: Any, body: bytes) -> None:
        """Send a request: there must be an answer, and no server error but a documented 503."""
        self._runner.run(self._ask(method, path, query, headers, body))

    def send(self, wire: bytes) -> None:
        """Send octets: the connection must end or get an answer, and the next one must be served."""
        self._runner.run(self._send(wire))

    def turn(self) -> None:
        """Let the loop run for a moment: fuzzing outside of it keeps the node from its backends."""
        self._runner.run(asyncio.sleep(0))

    def settle(self) -> None:
        """Let the node renew its lease; there must be no unexpected errors."""
        self._runner.run(eventually(self._node.ready))
        errors = self._runner.run(self._node.http.get("/metrics")).text
        counted = [line for line in errors.splitlines() if line.startswith("keyturn_http_errors_total{")]
        assert counted == [], counted
        assert self.complaints == [], self.complaints

    def note(self, complaint: dict[str, Any]) -> None:
        """Note a complaint of the loop. While inputs are drawn the loop stands still, on a busy machine
        longer than a connection to Redis may be silent, so a lost one is not a complaint."""
        if not isinstance(complaint.get("exception"), RedisConnectionError):
            self.complaints.append(repr(complaint))

    async def _ask(self, method: str, path: str, query: bytes, headers: Any, body: bytes) -> None:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "replace"),
            "query_string": query,
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        async with asyncio.timeout(_ANSWER_SECONDS):
            await self._node.app(scope, receive, send)
        status = sent[0]["status"]
        self._tally.statuses[status] += 1
        retry = any(name == b"retry-after" for name, _ in sent[0]["headers"])
        assert status < 500 or (status == 503 and retry), (status, sent)

    async def _send(self, wire: bytes) -> None:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            with contextlib.suppress(ConnectionError):
                writer.write(wire)
                writer.write_eof()
                answer = await reader.read()
                for line in answer.split(b"\r\n"):
                    if line.startswith(b"HTTP/1.1 "):
                        status = int(line[9:12])
                        self._tally.statuses[status] += 1
                        assert status < 500 or status == 503, answer[:200]
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def fuzz(directory: Path, *, seconds: float, first_seed: int = 0) -> Tally:
    """Run the targets. Raises a target's unexpected error, with the smallest input that causes it."""
    tally = Tally()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    redis = EmbeddedRedis(directory / "redis").start()
    try:
        with asyncio.Runner() as runner:
            stack = contextlib.AsyncExitStack()
            scene = runner.run(stack.enter_async_context(_scene(runner, redis.url, tally)))
            try:
                _rounds(scene, tally, time.monotonic() + seconds, first_seed)
            finally:
                runner.run(stack.aclose())
    finally:
        redis.stop()
        structlog.reset_defaults()
    return tally


def _rounds(scene: Scene, tally: Tally, until: float, number: int) -> None:
    while True:
        for name, strategy, target, vary in (
            ("tokens", inputs.tokens, _parse, inputs.damage),
            ("key sets", inputs.key_sets, _read_keys, inputs.damage),
            ("forms", inputs.forms, _read_form, inputs.damage),
            ("endpoints", inputs.requests, lambda request: scene.ask(*request), _damage_request),
            ("connections", inputs.wires, scene.send, inputs.damage),
        ):
            _examples(name, strategy, target, vary, scene.turn, tally, until, number)
            scene.settle()
        if time.monotonic() > until:
            return
        number += 1


def _examples(
    name: str,
    strategy: Any,
    target: Callable[[Any], None],
    vary: Callable[[Any, Random], Any],
    turn: Callable[[], None],
    tally: Tally,
    until: float,
    number: int,
) -> None:
    @seed(number)
    @hypothesis.settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy, st.integers(0, 2**32))
    def run(sent: Any, variants: int) -> None:
        if time.monotonic() > until and tally.executions[name]:
            return  # every target runs once, however slow the machine
        turn()
        target(sent)
        random = Random(variants)
        for _ in range(_VARIANTS):
            target(vary(sent, random))
        tally.executions[name] += 1 + _VARIANTS

    run()


def _damage_request(request: Any, random: Random) -> Any:
    """Damage one part, most often the body."""
    method, path, query, headers, body = request
    part = random.random()
    if part < 0.5:
        return method, path, query, headers, inputs.damage(body, random)
    if part < 0.65:
        return method, path, inputs.damage(query, random), headers, body
    if headers:
        place = random.randrange(len(headers))
        name, value = headers[place]
        headers = [*headers[:place], (name, inputs.damage(value, random)), *headers[place + 1 :]]
    return method, path, query, headers, body


def _parse(token: bytes) -> None:
    with contextlib.suppress(JoseError):
        parse_compact(token)


def _read_keys(document: bytes) -> None:
    with contextlib.suppress(JoseError):
        KeySet.from_json(document)


def _read_form(form: bytes) -> None:
    with contextlib.suppress(KeyturnError):
        read_form(form)


@asynccontextmanager
async def _scene(runner: asyncio.Runner, redis_url: str, tally: Tally) -> AsyncIterator[Scene]:
    redis = connect(redis_url)
    await fill(redis)
    await redis.aclose()
    unlimited: dict[str, Any] = {"failure_limit_client": 0, "failure_limit_address": 0}
    async with running_node(redis_url, **unlimited) as node:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = HttpServer(node.app, HttpProtocol, drain_seconds=1)
            serving = asyncio.create_task(server.serve(listening))
            scene = Scene(runner, node, listening.getsockname()[1], tally)
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: scene.note(context))
            try:
                yield scene
            finally:
                server.stop()
                await serving
