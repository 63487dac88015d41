"""An HTTP/2 frame with an excessive length is refused before it arrives, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.network.frame_lengths import FrameLengths
from keyturn_shared.network.refusal import FetchRefused

LENGTHS = st.lists(st.integers(0, 300) | st.just(16_384), max_size=6)
CUTS = st.lists(st.integers(1, 400), max_size=40)


def frame(length: int) -> bytes:
    return length.to_bytes(3, "big") + b"\xff" * 6 + b"\xff" * length


def pieces(octets: bytes, cuts: list[int]) -> list[bytes]:
    found, at = [], 0
    for cut in cuts:
        found.append(octets[at : at + cut])
        at += cut
    return [*found, octets[at:]]


@given(LENGTHS, CUTS)
def test_frames_of_allowed_lengths_pass(lengths: list[int], cuts: list[int]) -> None:
    """Their payload is full of octets that would be excessive lengths."""
    frames = FrameLengths()
    for piece in pieces(b"".join(frame(length) for length in lengths), cuts):
        frames.feed(piece)


@given(LENGTHS, CUTS, st.integers(16_385, 2**24 - 1))
def test_one_that_is_too_long_is_refused_with_its_header(
    lengths: list[int], cuts: list[int], too_long: int
) -> None:
    before = b"".join(frame(length) for length in lengths)
    frames = FrameLengths()
    for piece in pieces(before + too_long.to_bytes(3, "big") + b"\xff" * 5, cuts):
        frames.feed(piece)
    with pytest.raises(FetchRefused) as refused:
        frames.feed(b"\xff")
    assert refused.value.reason == "protocol_error"
