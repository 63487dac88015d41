"""Side channel of refusals: their time must not reveal whether the client exists.

One connection sends token requests that the node refuses, one at a time, kinds in random order. Pairs of
kinds are then compared; the first pair shows the result without any difference on this machine. ``auc``: the
probability that an answer of the second kind takes longer than one of the first (Mann-Whitney U over all
pairs); 0.5 means that the time reveals nothing, 0 or 1 that one answer reveals all. ``shift``: the difference
of the medians, microseconds.

    python -m benchmarks.verifier.timing [--requests 4000] [--json]
"""

import argparse
import asyncio
import bisect
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode

import uvloop

from benchmarks.verifier.target import Target, assertion_body, form_request, start_node, until_answers
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.ports import find_free_port

SECRET = "a-secret-of-many-octets-0123456789abcdef"
KEY = SigningKey.generate("ES256", kid="signing")
WRONG_KEY = SigningKey.generate("ES256", kid="signing")
PAIRS = (
    ("wrong secret", "wrong secret, again"),
    ("wrong secret", "unknown client, secret"),
    ("wrong secret", "unknown client, never asked before, secret"),
    ("wrong key", "unknown client, assertion"),
    ("wrong key", "unknown client, never asked before, assertion"),
)


@dataclass(frozen=True)
class Comparison:
    """Comparison of two kinds of refusal. Times in microseconds."""

    first: str
    second: str
    first_median: float
    second_median: float
    auc: float

    @property
    def shift(self) -> float:
        return self.second_median - self.first_median


def kinds(target: Target) -> dict[str, Callable[[int], bytes]]:
    """Return makers of refused requests by kind; each takes a number. Names are equally long everywhere."""

    def by_secret(client_id: str) -> bytes:
        fields = {"client_id": client_id, "client_secret": "wrong" * 8}
        return form_request(target, urlencode({"grant_type": "client_credentials", **fields}))

    def by_assertion(client_id: str) -> bytes:
        return form_request(target, assertion_body(target, WRONG_KEY, client_id))

    return {
        "wrong secret": lambda _: by_secret("known-by-secret-00000"),
        "wrong secret, again": lambda _: by_secret("known-by-secret-00000"),
        "unknown client, secret": lambda _: by_secret("nobody-by-secret-0000"),
        "unknown client, never asked before, secret": lambda number: by_secret(
            f"never-asked-bef-{number:05}"
        ),
        "wrong key": lambda _: by_assertion("known-by-a-key--00000"),
        "unknown client, assertion": lambda _: by_assertion("nobody-by-key---00000"),
        "unknown client, never asked before, assertion": lambda number: by_assertion(
            f"never-asked-key-{number:05}"
        ),
    }


async def fill(redis_url: str) -> None:
    redis = connect(redis_url)
    realm = realm_of("acme")
    await Filling.on(redis).open(
        realm,
        client_of(realm, "known-by-secret-00000", secret=SECRET),
        client_of(realm, "known-by-a-key--00000", key=KEY),
    )
    await redis.aclose()


async def ask(
    port: int, asked: Mapping[str, Callable[[int], bytes]], requests: int
) -> dict[str, list[float]]:
    """Return microseconds from the last octet sent to the first received, by kind."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken: dict[str, list[float]] = {kind: [] for kind in asked}
    shuffled = random.Random(0)
    warming = min(100, requests)
    for number in range(-warming, requests):  # the first ones only warm up
        order = list(asked)
        shuffled.shuffle(order)
        for kind in order:
            writer.write(asked[kind](number + warming))
            sent = time.perf_counter()
            head = await reader.readuntil(b"\r\n\r\n")
            elapsed = time.perf_counter() - sent
            assert head.startswith(b"HTTP/1.1 401"), head
            length = int(head.lower().partition(b"content-length: ")[2].split()[0])
            await reader.readexactly(length)
            if number >= 0:
                taken[kind].append(1e6 * elapsed)
    writer.close()
    return taken


def compare(first: str, second: str, taken: Mapping[str, Sequence[float]]) -> Comparison:
    """Compare the two distributions."""
    below = sorted(taken[first])
    wins = sum(
        (bisect.bisect_left(below, one) + bisect.bisect_right(below, one)) / 2 for one in taken[second]
    )
    return Comparison(
        first,
        second,
        statistics.median(taken[first]),
        statistics.median(taken[second]),
        wins / (len(below) * len(taken[second])),
    )


def measure(requests: int) -> list[Comparison]:
    """Start a node and compare its refusals."""
    directory = Path(tempfile.mkdtemp(prefix="keyturn-bench-"))
    with ExitStack() as stack:
        redis = EmbeddedRedis(directory / "redis").start()
        stack.callback(redis.stop)
        asyncio.run(fill(redis.url))
        port = find_free_port()
        unlimited = {"KEYTURN_FAILURE_LIMIT_CLIENT": "0", "KEYTURN_FAILURE_LIMIT_ADDRESS": "0"}
        process = start_node(redis.url, port, directory / "node.log", **unlimited)
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        until_answers(f"http://127.0.0.1:{port}/health/ready")
        taken = uvloop.run(ask(port, kinds(Target.of_keyturn(port)), requests))
    return [compare(first, second, taken) for first, second in PAIRS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000, help="of each kind")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    comparisons = measure(chosen.requests)
    if chosen.json:
        print(json.dumps([asdict(comparison) for comparison in comparisons]))
        return 0
    for each in comparisons:
        print(f"{each.first} / {each.second}")
        print(
            f"    median {each.first_median:6.0f} µs / {each.second_median:6.0f} µs,"
            f" shift {each.shift:+6.1f} µs, auc {each.auc:.3f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
