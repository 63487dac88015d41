"""Servers that speak only HTTP/2, one honest and many hostile.

Frames are made with h2 where it allows errors, and by hand otherwise.
"""

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from h2.exceptions import ProtocolError
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame, PingFrame, PushPromiseFrame

from tests.integration.network.hostile_servers import GOOD_BODY, MIB

_JSON = ("content-type", "application/json")
_RUDE = H2Configuration(
    client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding=None
)


@dataclass(frozen=True)
class Asked:
    """A request that was read. ``state``: of h2, whose frames ``send`` sends before the given ones."""

    state: H2Connection
    stream_id: int
    writer: asyncio.StreamWriter

    async def send(self, octets: bytes = b"") -> None:
        self.writer.write(self.state.data_to_send() + octets)
        await self.writer.drain()

    async def answer(self, *headers: tuple[str, str], body: bytes = b"", status: str = "200") -> None:
        self.state.send_headers(self.stream_id, [(":status", status), *headers])
        await self.send()
        for start in range(0, len(body), 16_384):
            await self.send(_data(self.stream_id, body[start : start + 16_384]))
        await self.send(_data(self.stream_id, b"", "END_STREAM"))


Serve = Callable[[Asked], Awaitable[None]]


@dataclass(frozen=True)
class HostileHttp2:
    attack: str
    reason: str
    serve: Serve


@contextlib.asynccontextmanager
async def serving_http2(serve: Serve, tls: ssl.SSLContext) -> AsyncIterator[tuple[int, list[str]]]:
    """Yield the port, and a list with an entry for each connection."""
    tls.set_alpn_protocols(["h2"])
    made: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        made.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        state = H2Connection(_RUDE)
        state.initiate_connection()
        try:
            while data := await reader.read(65_536):
                for event in state.receive_data(data):
                    if isinstance(event, RequestReceived):
                        await serve(Asked(state, event.stream_id, writer))
                writer.write(state.data_to_send())
                await writer.drain()
        except (OSError, ProtocolError, asyncio.CancelledError):
            pass  # the client is gone, or the test has seen what it wanted to see
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], made
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def serve_keys(asked: Asked) -> None:
    await asked.answer(_JSON, body=GOOD_BODY)


def _data(stream_id: int, data: bytes, *flags: str) -> bytes:
    return DataFrame(stream_id, data, flags=flags).serialize()


def _answers(attack: str, reason: str, *headers: tuple[str, str], **more: bytes | str) -> HostileHttp2:
    async def serve(asked: Asked) -> None:
        await asked.answer(*headers, **more)  # type: ignore[arg-type]  # a body or a status

    return HostileHttp2(attack, reason, serve)


def _sends(
    attack: str, reason: str, octets: Callable[[int], bytes], *, times: int = 1, every: float = 0.0
) -> HostileHttp2:
    async def serve(asked: Asked) -> None:
        for _ in range(times):
            await asked.send(octets(asked.stream_id))
            await asyncio.sleep(every)

    return HostileHttp2(attack, reason, serve)


async def _announces_much(asked: Asked) -> None:
    asked.state.send_headers(asked.stream_id, [(":status", "200"), _JSON, ("content-length", "107374182400")])
    await asked.send()


async def _data_without_end(asked: Asked) -> None:
    asked.state.send_headers(asked.stream_id, [(":status", "200"), _JSON])
    for _ in range(10_000):
        await asked.send(_data(asked.stream_id, b" " * 16_384))


async def _empty_data_without_end(asked: Asked) -> None:
    asked.state.send_headers(asked.stream_id, [(":status", "200"), _JSON])
    for _ in range(10_000):
        await asked.send(_data(asked.stream_id, b""))
        await asyncio.sleep(0.02)


async def _reset(asked: Asked) -> None:
    asked.state.reset_stream(asked.stream_id)
    await asked.send()


async def _goaway(asked: Asked) -> None:
    asked.state.close_connection(error_code=11)
    await asked.send()


HOSTILE_HTTP2 = (
    _answers("HTTP/2: redirect", "redirect", ("location", "http://127.0.0.1/"), status="302"),
    _answers("HTTP/2: status that is not a number", "protocol_error", _JSON, status="lots", body=GOOD_BODY),
    _answers(
        "HTTP/2: line break in a header",
        "protocol_error",
        _JSON,
        ("etag", '"x"\r\nX-Injected: 1'),
        body=GOOD_BODY,
    ),
    _answers("HTTP/2: headers of 100 KiB", "protocol_error", *((f"x-{n}", "a" * 1000) for n in range(100))),
    _answers("HTTP/2: 4 MiB of headers packed into 5 KiB", "protocol_error", *(("x", "a" * 4000),) * 1000),
    _sends(
        "HTTP/2: continuations without end",
        "protocol_error",
        lambda stream: (
            HeadersFrame(stream, b"\x88").serialize()
            + b"".join(ContinuationFrame(stream, b"").serialize() for _ in range(100))
        ),
    ),
    HostileHttp2("HTTP/2: 100 GB announced", "too_large", _announces_much),
    HostileHttp2("HTTP/2: body without end", "too_large", _data_without_end),
    HostileHttp2("HTTP/2: empty pieces of a body without end", "timeout", _empty_data_without_end),
    _answers(
        "HTTP/2: gzip bomb",
        "too_large",
        _JSON,
        ("content-encoding", "gzip"),
        body=gzip.compress(b" " * 16 * MIB),
    ),
    _answers(
        "HTTP/2: body shorter than announced",
        "protocol_error",
        _JSON,
        ("content-length", str(len(GOOD_BODY) + 9)),
        body=GOOD_BODY,
    ),
    _answers(
        "HTTP/2: body longer than announced",
        "protocol_error",
        _JSON,
        ("content-length", str(len(GOOD_BODY) - 9)),
        body=GOOD_BODY,
    ),
    _sends(
        "HTTP/2: a response without a request",
        "protocol_error",
        lambda stream: PushPromiseFrame(stream, 2, b"\x82\x87\x84", flags=["END_HEADERS"]).serialize(),
    ),
    _sends(
        "HTTP/2: pings without end",
        "timeout",
        lambda _: PingFrame(0, b"12345678").serialize() * 50,
        times=10_000,
        every=0.02,
    ),
    _sends("HTTP/2: a frame that is too large", "protocol_error", lambda _: b"\xff\xff\xff\0\0\0\0\0\x01"),
    _sends("HTTP/2: HTTP/1.1 after all", "protocol_error", lambda _: b"HTTP/1.1 200 OK\r\n\r\n{}"),
    HostileHttp2("HTTP/2: stream reset", "protocol_error", _reset),
    HostileHttp2("HTTP/2: connection given up", "protocol_error", _goaway),
)
