from pathlib import Path

import pytest

from benchmarks.verifier.answers import is_whole
from benchmarks.verifier.open_loop import arrivals, read_requests
from benchmarks.verifier.wrk import RequestFile


def test_arrivals_are_the_same_for_the_same_seed_and_come_at_the_rate() -> None:
    first, again, other = (list(arrivals(1000, 2, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert first == sorted(first)
    assert first[0] > 0
    assert first[-1] < 2
    assert len(first) == pytest.approx(2000, rel=0.1)


def test_requests_are_read_as_they_were_written() -> None:
    requests = [b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n12\n34"]
    file = RequestFile(requests)
    assert read_requests(Path(file.path)) == requests
    file.remove()


@pytest.mark.parametrize(
    ("octets", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n1", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n12", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ],
)
def test_an_answer_is_whole_with_its_body(octets: bytes, whole: bool) -> None:
    assert is_whole(octets) is whole
