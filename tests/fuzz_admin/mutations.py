"""Damaged files: accidental and deliberate changes."""

from collections.abc import Callable, Sequence
from random import Random

_EXTREMES = (
    b"\x00",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x84\xff\xff\xff\xff",
)
_MAX_BLOCK = 200
_MAX_BYTES = 200_000


def mutated(original: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Return a file with one to four damages."""
    data = original
    # Damages that keep the length get further before they are noticed.
    mutations = random.choice((_OF_ONE_LENGTH, _MUTATIONS))
    for _ in range(random.choice((1, 1, 2, 4))):
        data = random.choice(mutations)(data, others, random)[:_MAX_BYTES]
    return data


def _flip_bits(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    changed = bytearray(data)
    for _flip in range(random.choice((1, 1, 8)) if data else 0):
        changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    return data[: random.randint(0, len(data))]


def _drop(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start = random.randint(0, len(data))
    return data[:start] + data[start + random.randint(1, _MAX_BLOCK) :]


def _insert(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start = random.randint(0, len(data))
    return data[:start] + random.randbytes(random.randint(1, _MAX_BLOCK)) + data[start:]


def _repeat(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start = random.randint(0, len(data))
    block = data[start : start + random.randint(1, _MAX_BLOCK)]
    return data[:start] + block * random.choice((2, 10, 300)) + data[start:]


def _overwrite_with_extreme(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    """Overwrite lengths, counts and versions."""
    extreme = random.choice(_EXTREMES)
    start = random.randint(0, min(len(data), random.choice((40, _MAX_BYTES))))
    return data[:start] + extreme + data[start + len(extreme) :]


def _splice(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(others)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


_Mutation = Callable[[bytes, Sequence[bytes], Random], bytes]
_OF_ONE_LENGTH: tuple[_Mutation, ...] = (_flip_bits, _flip_bits, _overwrite_with_extreme)
_MUTATIONS: tuple[_Mutation, ...] = (
    _flip_bits,
    _cut,
    _drop,
    _insert,
    _repeat,
    _overwrite_with_extreme,
    _splice,
)
