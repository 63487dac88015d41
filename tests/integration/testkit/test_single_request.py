"""The client of the durability runs: its callers are loops that must end when told to."""

import asyncio
from itertools import count

from tests.testkit.single_request import send

_TURNS = 300


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    writer.close()


async def test_a_cancellation_is_never_lost_whenever_it_comes() -> None:
    """Not even between the end of the answer and the caller's next turn."""
    async with await asyncio.start_server(_answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for turns in count():
            assert turns < _TURNS, "no request was ever answered"
            asking = asyncio.create_task(send("GET", url))
            for _ in range(turns):
                await asyncio.sleep(0)
            if not asking.cancel():
                assert asking.result().body == b"ok"
                break
            await asyncio.wait([asking])
            assert asking.cancelled(), f"lost after {turns} turns of the event loop"
    assert turns > 5, "the request was cancelled at every turn of its life"
