"""A process's connections to Redis, as the real code sees them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.scripts import FLEET, Argument, Call
from keyturn_shared.position import Position
from keyturn_verifier.replica.event_applier import EventApplier
from keyturn_verifier.replica.stream_reader import FIELD
from tests.simulation.network import Network, NoAnswerError
from tests.simulation.redis_model.data import CommandError
from tests.simulation.redis_model.server import RedisServer
from tests.testkit.simulated_process import Process

_EVENTS: Final = Layout().events.encode()
_BLOCK_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 0.7
_TRACED: Final = frozenset(
    {"open_epoch", "carry_over", "complete_epoch", "publish", "stamp", "close", "load", "renew"}
)
_USUAL: Final = (b"stamped",)


class Route(Protocol):
    """Returns the Redis for a new connection; None while there is none."""

    def server_for_new_connection(self) -> RedisServer | None: ...


class RedisLink:
    """Connections with a time limit.

    They stay with the server they were made to; after an error the next request asks for the primary again.
    ``silent``: cut off without notice, so nothing is answered. ``stale``: closed while idle, which the next
    request notices.
    """

    def __init__(self, process: Process, network: Network, route: Route, *, limit: float) -> None:
        self._process = process
        self._network = network
        self._route = route
        self._limit = limit
        self.server: RedisServer | None = None
        self.silent = False
        self.stale = False

    def trace(self, line: str) -> None:
        self._network.trace(f"{self._process.name}: {line}")

    async def request(self, steps: Sequence[Callable[[RedisServer], Any]]) -> list[Any]:
        """Run steps on the server, in order. Raises RedisError, which leaves open whether they ran."""
        if self.stale:
            self.stale, self.server = False, None
            raise RedisConnectionError("closed while it was idle")
        server = self.server or self._route.server_for_new_connection()
        self.server = server
        if self.silent:
            await asyncio.sleep(self._limit)
            raise RedisConnectionError("no answer in time")

        def at_server(step: Callable[[RedisServer], Any]) -> Any:
            if server is None or not server.alive:
                raise NoAnswerError("nobody listens")
            return step(server)

        try:
            return await self._network.converse(
                self._process, [partial(at_server, step) for step in steps], limit=self._limit
            )
        except NoAnswerError as error:
            self.server = None
            raise RedisConnectionError(str(error)) from None
        except CommandError as error:
            self.server = None
            raise ResponseError(str(error)) from None


class SimulatedScripts:
    """``keyturn_shared.fleet.scripts.Scripts`` over a link."""

    def __init__(self, link: RedisLink, package: str = FLEET) -> None:
        self._link = link
        self._package = package

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        return (await self.run_many(name, [(keys, arguments)]))[0]

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        steps = [partial(self._step, name, keys, arguments) for keys, arguments in calls]
        try:
            return await self._link.request(steps)
        except RedisError as error:
            raise RedisUnavailableError(f"{name}: {error}") from error

    def _step(
        self, name: str, keys: Sequence[str], arguments: Sequence[Argument], server: RedisServer
    ) -> Any:
        reply = server.run(self._package, name, keys, arguments)
        if name in _TRACED and reply not in _USUAL:
            self._link.trace(f"{name} {_brief(arguments[:3])} in {server.run_id[:6]}: {_brief(reply)}")
        return reply


class SimulatedRedis:
    """The one command that a node uses in addition to its scripts, in the form of redis-py's client."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def xrange(self, name: str, *, min: str, count: int) -> list[tuple[bytes, dict[bytes, bytes]]]:  # noqa: A002 - redis-py's name
        arguments = (name.encode(), min.encode(), b"+", b"COUNT", b"%d" % count)
        (entries,) = await self._link.request([lambda server: server.direct(b"XRANGE", *arguments)])
        return [(at, dict(zip(fields[::2], fields[1::2], strict=True))) for at, fields in entries]


class SimulatedSubscription:
    """Reads the stream from the applier's position, like FastStream's subscription: with an ``XREAD BLOCK``
    that keeps its own place, and a pause after an error."""

    def __init__(self, link: RedisLink, applier: EventApplier, process: Process, network: Network) -> None:
        self._link = link
        self._applier = applier
        self._process = process
        self._network = network

    async def run(self, joined: asyncio.Event) -> None:
        """Subscribe once the node has joined, and stay subscribed."""
        await joined.wait()
        after = self._applier.position.stream_id.encode()
        while True:
            try:
                entries = await self._read(after)
            except RedisError:
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            for at, fields in entries:
                after = at
                self._applier.apply(Position.parse(at), fields[fields.index(FIELD) + 1])

    async def _read(self, after: bytes) -> list[Any]:
        """Return existing entries, or those that come within a second."""
        loop, network = self._network.loop, self._network
        news = loop.create_future()

        def read(server: RedisServer) -> list[Any]:
            return list(server.direct(b"XRANGE", _EVENTS, b"(" + after, b"+", b"COUNT", b"500"))

        def look(server: RedisServer) -> list[Any]:
            entries = read(server)
            if not entries:
                server.readers.append(lambda: push(server))
            return entries

        def push(server: RedisServer) -> None:
            if not network.loses():
                loop.call_later(network.delay(), _resolve, news, read(server), context=self._process.context)

        (entries,) = await self._link.request([look])
        if entries:
            return list(entries)
        timer = loop.call_later(_BLOCK_SECONDS, _resolve, news, [])
        pushed: list[Any] = await news
        timer.cancel()
        return pushed


def _resolve(news: Any, entries: list[Any]) -> None:
    if not news.done():
        news.set_result(entries)


def _brief(values: Any) -> str:
    each = values if isinstance(values, list) else [values]
    texts = [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in each]
    return " ".join(text[:24] for text in texts)
