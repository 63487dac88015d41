"""Records and descriptors between a parent and a worker."""

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest

from keyturn_verifier.workers.records import Kind, Record, RecordChannel
from tests.testkit.waiting import in_time, wait_until


class End:
    """One end of a channel that keeps what it gets."""

    def __init__(self, end: socket.socket, *, with_descriptors: bool = True) -> None:
        self.got: list[Record] = []
        self.is_over = asyncio.Event()
        self.channel = RecordChannel(
            end, self.got.append, self.is_over.set, with_descriptors=with_descriptors
        )


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    first, second = socket.socketpair()
    yield first, second
    first.close()
    second.close()


async def test_records_arrive_in_order_with_their_descriptors(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    parent, worker = (End(end) for end in pair)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        parent.channel.send(Kind.RETIRE)
        assert parent.channel.send_with(theirs.fileno(), Kind.CONNECTION, 7)
        parent.channel.send(Kind.PAGES_END, 2**32 - 1, 3)
        assert parent.channel.send_with(theirs.fileno(), Kind.PAGE, 8, 2)
    await wait_until(lambda: len(worker.got) == 4)
    assert [record[:3] for record in worker.got] == [
        (Kind.RETIRE, 0, 0),
        (Kind.CONNECTION, 7, 0),
        (Kind.PAGES_END, 2**32 - 1, 3),
        (Kind.PAGE, 8, 2),
    ]
    descriptors = [record.descriptor for record in worker.got]
    assert [descriptor is None for descriptor in descriptors] == [True, False, True, False]
    for descriptor in descriptors:
        if descriptor is not None:
            os.close(descriptor)
    parent.channel.close()
    await in_time(worker.is_over.wait())


async def test_records_wait_for_room_and_descriptors_do_not_overtake_them(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    parent = End(pair[0])
    count = 0
    while parent.channel.send_with(pair[0].fileno(), Kind.WRITE_PAGE):
        count += 1
        parent.channel.send(Kind.CLOSED, count)
    for number in range(1000):
        parent.channel.send(Kind.READY, number)
    worker = End(pair[1])
    await wait_until(lambda: len(worker.got) >= 2 * count + 1000)
    assert [record.number for record in worker.got if record.kind is Kind.READY] == list(range(1000))
    assert [record.number for record in worker.got if record.kind is Kind.CLOSED] == list(range(1, count + 1))
    for record in worker.got:
        if record.descriptor is not None:
            os.close(record.descriptor)
    worker.channel.close()
    parent.channel.close()


async def test_records_without_descriptors_are_read_in_any_pieces(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    parent = End(pair[0], with_descriptors=False)
    worker = End(pair[1])
    for number in range(5000):
        worker.channel.send(Kind.CLOSED, number)
    await wait_until(lambda: len(parent.got) == 5000)
    assert [record.number for record in parent.got] == list(range(5000))
    for octet in b"\xf0" + bytes(6) + bytes([Kind.LEAVING]) + bytes(6):
        pair[1].send(bytes([octet]))
        await asyncio.sleep(0)
    await wait_until(lambda: len(parent.got) == 5001)
    assert parent.got[-1] == Record(Kind.LEAVING)
    worker.channel.close()
    await in_time(parent.is_over.wait())


async def test_the_end_of_the_other_side_is_noticed_and_sending_to_it_is_no_error(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    parent = End(pair[0])
    pair[1].close()
    parent.channel.send(Kind.STOP)
    assert not parent.channel.send_with(0, Kind.CONNECTION)
    await in_time(parent.is_over.wait())
    parent.channel.send(Kind.STOP)


async def test_a_record_of_another_release_is_passed_over(pair: tuple[socket.socket, socket.socket]) -> None:
    worker = End(pair[1])
    pair[0].send(b"\xf0" + bytes(6) + bytes([Kind.STOP]) + bytes(6))
    await wait_until(lambda: worker.got)
    assert worker.got == [Record(Kind.STOP)]
    worker.channel.close()
