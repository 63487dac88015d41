"""Small runs of a node's benchmarks: they work, and compare what they claim to."""

import asyncio
from typing import Final

from benchmarks.verifier import memory, open_loop, timing

_STANDSTILL_SECONDS: Final = 0.4


def test_timing_compares_every_pair_of_refusals() -> None:
    compared = timing.measure(requests=20)
    assert [(each.first, each.second) for each in compared] == list(timing.PAIRS)
    assert all(0 <= each.auc <= 1 and each.first_median > 0 for each in compared)


def test_equal_times_tell_nothing_and_longer_ones_everything() -> None:
    taken = {"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0], "c": [7.0, 8.0]}
    assert timing.compare("a", "b", taken).auc == 0.5
    assert timing.compare("a", "c", taken).auc == 1.0
    assert timing.compare("c", "a", taken).auc == 0.0


def test_memory_is_that_of_a_node_with_all_clients_at_hand() -> None:
    measured = memory.measure("private_key_jwt", 150)
    assert measured.cached >= 150
    assert 0 < measured.empty_mib <= measured.full_mib < 400


async def test_a_load_counts_the_wait_of_requests_that_were_due_while_the_server_stood_still() -> None:
    held = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await reader.readline()
            asyncio.get_running_loop().call_later(_STANDSTILL_SECONDS, held.set)
            await held.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    load = open_loop.OpenLoop(server.sockets[0].getsockname()[1], [b"GET / HTTP/1.1\r\n\r\n"])
    result = await asyncio.to_thread(load.run, 500.0, _STANDSTILL_SECONDS, 1)
    server.close()
    assert result.refused == 0
    # A load that waits for answers would have sent one request on each of its 64 connections meanwhile.
    assert result.offered * _STANDSTILL_SECONDS > 2 * 64
    assert result.p50 > 1000 * _STANDSTILL_SECONDS / 4
