"""Tokens per second of one verifier node, and of node-oidc-provider in the same run.

The server under load has core 0 for itself, load and Redis share core 1. Rounds alternate between the servers
and ratios are taken within a round, since the machine's speed drifts. Every assertion is new: both servers
check for replays, keyturn in Redis.

    python -m benchmarks.verifier.token_endpoint [--rounds 3] [--seconds 4] [--json] [--only keyturn]

Needs two cores, ``taskset``, and the packages of ``tests/node``.
"""

import argparse
import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import provenance
from benchmarks.results import Figure, figure, ratio
from benchmarks.verifier.load import LoadResult, load
from benchmarks.verifier.target import (
    LOAD_CORE,
    SERVER_CORE,
    Target,
    assertion_body,
    form_request,
    start_node,
    until_answers,
)
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.nodejs import install_packages, node_directory
from tests.testkit.ports import find_free_port

CLIENT, SECRET = "payments-settlement-worker", "a-secret-of-many-octets-0123456789abcdef"
NAMES = ("keyturn", "oidc-provider")
KEY = SigningKey.generate("ES256")


def assertion_requests(target: Target, count: int) -> Iterator[bytes]:
    """Yield requests with private_key_jwt, each with its own assertion, signed beforehand."""
    return iter([form_request(target, assertion_body(target, KEY, CLIENT)) for _ in range(count)])


def secret_requests(target: Target) -> Iterator[bytes]:
    pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    request = form_request(target, "grant_type=client_credentials", f"Authorization: Basic {pair}\r\n")
    while True:
        yield request


async def fill(redis_url: str) -> None:
    redis = connect(redis_url)
    realm = realm_of("acme")
    filling = Filling.on(redis)
    # One client that authenticates by secret, one by key, under the same name in two realms.
    other = realm_of("basic")
    await filling.open(
        realm, other, client_of(realm, CLIENT, key=KEY), client_of(other, CLIENT, secret=SECRET)
    )
    await redis.aclose()


def start_oidc_provider(
    method: str, port: int, log: Path, *, token_format: str = "jwt"
) -> subprocess.Popen[bytes]:
    client: dict[str, Any] = {
        "client_id": CLIENT,
        "token_endpoint_auth_method": method,
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
    }
    if method == "private_key_jwt":
        client |= {"jwks": {"keys": [KEY.public_jwk]}, "token_endpoint_auth_signing_alg": "ES256"}
    else:
        client |= {"client_secret": SECRET}
    packages = install_packages() / "node_modules" / "oidc-provider"
    script = Path(__file__).with_name("oidc_provider.mjs")
    with log.open("wb") as out:
        return subprocess.Popen(
            [
                *("taskset", "-c", SERVER_CORE, str(node_directory() / "bin" / "node")),
                *(str(script), str(packages), str(port), json.dumps(client), token_format),
            ],
            env=os.environ | {"NODE_ENV": "production"},
            stdout=out,
            stderr=out,
        )


@dataclass(frozen=True)
class Round:
    """One round of a server. ``cpu_us``: processor time per request, in microseconds, which other programs on
    the machine disturb least."""

    load: LoadResult
    cpu_us: float


def measure(method: str, names: list[str], *, rounds: int, seconds: float) -> dict[str, list[Round]]:
    """Alternate between the servers; return the results of each by round."""
    results: dict[str, list[Round]] = {name: [] for name in names}
    processes: dict[str, subprocess.Popen[bytes]] = {}
    targets: dict[str, Target] = {}
    directory = Path(tempfile.mkdtemp(prefix="keyturn-bench-"))
    with ExitStack() as stack:
        redis = EmbeddedRedis(directory / "redis").start()
        stack.callback(redis.stop)
        os.sched_setaffinity(redis.pid, {int(LOAD_CORE)})
        asyncio.run(fill(redis.url))
        for name in names:
            port = find_free_port()
            if name == "keyturn":
                targets[name] = Target.of_keyturn(port, "acme" if method == "private_key_jwt" else "basic")
                process = start_node(redis.url, port, directory / "keyturn.log", core=SERVER_CORE)
                ready = "health/ready"
            else:
                targets[name] = Target.of_oidc_provider(port)
                process = start_oidc_provider(method, port, directory / "oidc-provider.log")
                ready = ".well-known/openid-configuration"
            processes[name] = process
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
            until_answers(f"http://127.0.0.1:{port}/{ready}")
        for turn in range(-1, rounds):
            for name in names:
                target = targets[name]
                requests = _requests(target, method, int(seconds))
                before = _cpu_seconds(processes[name].pid)
                result = uvloop.run(load(target.port, requests, seconds=seconds if turn >= 0 else 1.0))
                used = _cpu_seconds(processes[name].pid) - before
                if turn >= 0:  # the round before is for warming up
                    results[name].append(Round(result, 1e6 * used / sum(result.statuses.values())))
    return results


def _requests(target: Target, method: str, seconds: int) -> Iterator[bytes]:
    if method != "private_key_jwt":
        return secret_requests(target)
    return assertion_requests(target, seconds * (11_000 if target.name == "keyturn" else 6_000))


def _cpu_seconds(pid: int) -> float:
    """Return a process's processor time, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--method", choices=["private_key_jwt", "client_secret_basic"])
    parser.add_argument("--json", action="store_true")
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before, found = provenance.busy_before(), list[Figure]()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    names = [chosen.only] if chosen.only else list(NAMES)
    for method in [chosen.method] if chosen.method else ["private_key_jwt", "client_secret_basic"]:
        results = measure(method, names, rounds=chosen.rounds, seconds=chosen.seconds)
        found += figures(method, results)
        if chosen.json:
            print(
                json.dumps(
                    {method: {name: [asdict(each) for each in all_] for name, all_ in results.items()}}
                )
            )
            continue
        print(f"{method} -> ES256 access token")
        for name, rounds in results.items():
            print(
                f"  {name:14} {statistics.median(each.load.per_second for each in rounds):8.0f}/s"
                f"  p50 {statistics.median(each.load.p50 for each in rounds):6.2f} ms"
                f"  p99 {statistics.median(each.load.p99 for each in rounds):6.2f} ms"
                f"  {statistics.median(each.cpu_us for each in rounds):6.1f} µs of its core each"
                f"  {rounds[-1].load.statuses}"
            )
        if len(names) == 2:
            pairs = list(zip(results["keyturn"], results["oidc-provider"], strict=True))
            print(
                "  keyturn / oidc-provider:"
                f" rate {statistics.median(k.load.per_second / o.load.per_second for k, o in pairs):.2f}x,"
                f" p99 {statistics.median(k.load.p99 / o.load.p99 for k, o in pairs):.2f}x,"
                f" processor time {statistics.median(k.cpu_us / o.cpu_us for k, o in pairs):.2f}x"
            )
    provenance.hand_over(
        chosen.results,
        "token_endpoint",
        found,
        excluded=("TLS",),
        programs=("uvloop", "Redis", "Node.js", "oidc-provider"),
        busy=before,
    )
    return 0


def figures(method: str, results: dict[str, list[Round]]) -> list[Figure]:
    """Return rate and processor time of each server, and keyturn's ratios to the others."""
    found = []
    for name, rounds in results.items():
        rates, costs = [each.load.per_second for each in rounds], [each.cpu_us for each in rounds]
        p50, p99 = [each.load.p50 for each in rounds], [each.load.p99 for each in rounds]
        rate_ratios, cost_ratios = [], []
        for to, others in results.items():
            if name == "keyturn" != to:
                their_p99 = [each.load.p99 for each in others]
                rate_ratios.append(
                    ratio(to, rates, [each.load.per_second for each in others], p99=(p99, their_p99))
                )
                cost_ratios.append(ratio(to, costs, [each.cpu_us for each in others]))
        found.append(figure(method, name, "1/s", rates, p50=p50, p99=p99, ratios=rate_ratios))
        found.append(figure(f"{method}, processor time", name, "µs", costs, ratios=cost_ratios))
    return found


if __name__ == "__main__":
    sys.exit(main())
