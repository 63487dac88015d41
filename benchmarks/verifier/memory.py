"""Memory of one verifier node that caches many clients.

The node gets one token request from each client, so that all of them are cached with their keys parsed, and
then requests from some of them again, to check that they are. Clients have a key each (private_key_jwt,
ES256, inline JWK Set) or a secret each; there are twice as many different keys as a node keeps loaded.

    python -m benchmarks.verifier.memory [--clients 100000] [--method private_key_jwt] [--json]
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import uvloop

from benchmarks import provenance
from benchmarks.results import Figure, figure
from benchmarks.verifier.load import load
from benchmarks.verifier.target import Target, assertion_body, form_request, start_node, until_answers
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.jose.public_keys import MAX_LOADED
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.ports import find_free_port

METHODS = ("private_key_jwt", "client_secret_post")
_WRITTEN_AT_ONCE = 2000
_AGAIN = 1000


@dataclass(frozen=True)
class Memory:
    """Resident memory in MiB (``VmRSS``): of a node that is ready, and of one with all clients cached."""

    method: str
    clients: int
    empty_mib: float
    full_mib: float
    cached: int

    @property
    def bytes_per_client(self) -> float:
        return (self.full_mib - self.empty_mib) * 2**20 / self.clients


async def fill(redis_url: str, method: str, keys: list[SigningKey], clients: int) -> None:
    """Write a realm with that many clients, which share the keys in turn: a node keeps a separate copy for
    each."""
    redis = connect(redis_url)
    realm, filling = realm_of("acme"), Filling.on(redis)
    await filling.open(realm, complete=False)
    for start in range(0, clients, _WRITTEN_AT_ONCE):
        await filling.write(
            *(
                client_of(
                    realm,
                    name_of(number),
                    **(
                        {"key": keys[number % len(keys)]}
                        if method == "private_key_jwt"
                        else {"secret": secret_of(number)}
                    ),
                )
                for number in range(start, min(clients, start + _WRITTEN_AT_ONCE))
            )
        )
    assert await filling.channel.complete_epoch(filling.epoch)
    await redis.aclose()


def name_of(number: int) -> str:
    return f"payments-settlement-worker-{number:06}"


def secret_of(number: int) -> str:
    return f"a-secret-of-many-octets-{number:06}"


def requests(target: Target, method: str, keys: list[SigningKey], clients: range) -> Iterator[bytes]:
    """Yield one honest request of each client."""
    for number in clients:
        if method == "private_key_jwt":
            body = assertion_body(target, keys[number % len(keys)], name_of(number))
        else:
            fields = {"client_id": name_of(number), "client_secret": secret_of(number)}
            body = urlencode({"grant_type": "client_credentials", **fields})
        yield form_request(target, body)


def measure(method: str, clients: int) -> Memory:
    """Start a node, send a request for every client, and measure its memory."""
    keys = [SigningKey.generate("ES256") for _ in range(min(clients, 2 * MAX_LOADED))]
    directory = Path(tempfile.mkdtemp(prefix="keyturn-bench-"))
    with ExitStack() as stack:
        redis = EmbeddedRedis(directory / "redis").start()
        stack.callback(redis.stop)
        asyncio.run(fill(redis.url, method, keys, clients))
        port = find_free_port()
        target = Target.of_keyturn(port)
        process = start_node(redis.url, port, directory / "node.log")
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        until_answers(f"http://127.0.0.1:{port}/health/ready")
        empty = resident_mib(process)
        for asked in (range(clients), range(0, clients, max(1, clients // _AGAIN))):
            result = uvloop.run(load(port, requests(target, method, keys, asked), seconds=3600))
            assert result.statuses == {200: len(asked)}, result.statuses
        time.sleep(1)
        return Memory(method, clients, empty, resident_mib(process), cached_states(port))


def resident_mib(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def cached_states(port: int) -> int:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return next(
        int(float(line.split()[1])) for line in lines if line.startswith("keyturn_node_cached_states ")
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--method", choices=METHODS)
    parser.add_argument("--json", action="store_true")
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before, found = provenance.busy_before(), list[Figure]()
    for method in [chosen.method] if chosen.method else METHODS:
        memory = measure(method, chosen.clients)
        found += figures(memory)
        if chosen.json:
            print(json.dumps(asdict(memory)))
            continue
        print(
            f"{method:20} {memory.clients:,} clients, {memory.cached:,} states at hand:"
            f" {memory.full_mib:.0f} MiB, {memory.empty_mib:.0f} MiB of it before,"
            f" {memory.bytes_per_client:,.0f} bytes for each client"
        )
    provenance.hand_over(chosen.results, "memory", found, programs=("uvloop", "Redis"), busy=before)
    return 0


def figures(memory: Memory) -> list[Figure]:
    return [
        figure(memory.method, "ready", "MiB", [memory.empty_mib]),
        figure(memory.method, "with all clients", "MiB", [memory.full_mib], at=memory.clients),
        figure(memory.method, "each client", "bytes", [memory.bytes_per_client]),
    ]


if __name__ == "__main__":
    sys.exit(main())
