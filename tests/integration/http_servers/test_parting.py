"""A caller that sends more after its last request still gets that request's answer."""

import asyncio

from tests.integration.http_servers.servers import PATH, Server
from tests.testkit.waiting import in_time, wait_until

HEAD = b"POST " + PATH + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
LAST = HEAD + b"Content-Length: 2\r\n\r\nhi"
MORE = b"GET /more HTTP/1.1\r\nHost: a\r\n\r\n"


async def test_what_is_sent_after_the_answer_does_not_take_it_away(server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(LAST)
    await wait_until(lambda: server.seen)
    server.hold.set()
    for _ in range(3):  # a closed socket is reset by the first of them
        await asyncio.sleep(0.001)
        writer.write(MORE)
    answer = await in_time(reader.read())
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 OK"), answer
    assert answer.endswith(b"hi")
    assert len(server.seen) == 1


async def test_what_was_sent_with_the_last_request_does_not_take_its_answer_away(server: Server) -> None:
    """The data is in the server's socket when that is closed."""
    server.hold.clear()
    reader, writer = await server.connect()
    writer.write(LAST)
    await wait_until(lambda: server.seen)
    server.hold.set()
    writer.write(MORE * 10_000)
    answer = await in_time(reader.read())
    writer.close()
    assert answer.endswith(b"hi")
    assert len(server.seen) == 1


async def test_who_sends_on_for_ever_is_ended(server: Server) -> None:
    _, writer = await server.connect()
    writer.write(LAST)
    while len(server.table) or not server.seen:
        writer.write(MORE)
        await asyncio.sleep(0.005)
    writer.close()


async def test_who_hangs_up_is_not_waited_for(server: Server) -> None:
    assert (await server.exchange(LAST)).endswith(b"hi")
    await wait_until(lambda: len(server.table) == 0)
