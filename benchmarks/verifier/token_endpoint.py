"""Tokens per second of one verifier node, and of node-oidc-provider beside it in the same run.

The server under load has core 0 for itself, load and Redis share core 1. Rounds alternate between the
servers and ratios are taken within a round, since the machine's speed drifts. Every assertion is new: both
servers check for replays, keyturn in Redis.

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
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.verifier.load import LoadResult, load
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from tests.integration.verifier.filling import FLEET_KEY, Filling, client_of, realm_of
from tests.integration.verifier.nodes import ASSERTION_TYPE
from tests.support.node import install_packages, node_directory

SERVER_CORE, LOAD_CORE = "0", "1"
CLIENT, SECRET = "payments-settlement-worker", "a-secret-of-many-octets-0123456789abcdef"
PORTS = {"keyturn": 18082, "oidc-provider": 18083}
KEY = SigningKey.generate("ES256")


@dataclass(frozen=True)
class Target:
    """A server and where it issues tokens."""

    name: str
    port: int
    path: str
    issuer: str


def targets() -> dict[str, Target]:
    base = f"http://127.0.0.1:{PORTS['keyturn']}"
    return {
        "keyturn": Target(
            "keyturn",
            PORTS["keyturn"],
            "/realms/acme/protocol/openid-connect/token",
            f"{base}/realms/acme",
        ),
        "oidc-provider": Target(
            "oidc-provider",
            PORTS["oidc-provider"],
            "/token",
            f"http://127.0.0.1:{PORTS['oidc-provider']}",
        ),
    }


def assertion_requests(target: Target, count: int) -> Iterator[bytes]:
    """Requests with private_key_jwt, each with an assertion of its own, signed beforehand."""
    header = KEY.header_segment()
    now = int(time.time())
    kind = ASSERTION_TYPE.replace(":", "%3A")
    requests = []
    for _ in range(count):
        claims = {
            "iss": CLIENT,
            "sub": CLIENT,
            "aud": target.issuer,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + 60,
        }
        body = (
            f"grant_type=client_credentials&client_assertion_type={kind}"
            f"&client_assertion={KEY.sign_compact(header, claims)}"
        )
        requests.append(_request(target, body))
    return iter(requests)


def secret_requests(target: Target) -> Iterator[bytes]:
    pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    request = _request(target, "grant_type=client_credentials", f"Authorization: Basic {pair}\r\n")
    while True:
        yield request


def _request(target: Target, body: str, headers: str = "") -> bytes:
    return (
        f"POST {target.path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n{headers}"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


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


def start_keyturn(redis_url: str, log: Path) -> subprocess.Popen[bytes]:
    port = PORTS["keyturn"]
    environment = os.environ | {
        "KEYTURN_REDIS_URL": redis_url,
        "KEYTURN_FLEET_KEYS": FLEET_KEY,
        "KEYTURN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "KEYTURN_HOST": "127.0.0.1",
        "KEYTURN_PORT": str(port),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "keyturn", "verifier"],
            env=environment,
            stdout=out,
            stderr=out,
        )
    _until_answers(f"http://127.0.0.1:{port}/health/ready")
    return process


def start_oidc_provider(method: str, log: Path) -> subprocess.Popen[bytes]:
    port = PORTS["oidc-provider"]
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
        process = subprocess.Popen(
            [
                *("taskset", "-c", SERVER_CORE, str(node_directory() / "bin" / "node")),
                *(str(script), str(packages), str(port), json.dumps(client)),
            ],
            env=os.environ | {"NODE_ENV": "production"},
            stdout=out,
            stderr=out,
        )
    _until_answers(f"http://127.0.0.1:{port}/.well-known/openid-configuration")
    return process


def _until_answers(url: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@dataclass(frozen=True)
class Round:
    """What a server did in one round. ``cpu_us``: processor time it took per request, in microseconds, which
    other programs on the machine disturb least."""

    load: LoadResult
    cpu_us: float


def measure(method: str, names: list[str], *, rounds: int, seconds: float) -> dict[str, list[Round]]:
    """Alternate between the servers; what each did in each round."""
    results: dict[str, list[Round]] = {name: [] for name in names}
    processes: dict[str, subprocess.Popen[bytes]] = {}
    directory = Path(tempfile.mkdtemp(prefix="keyturn-bench-"))
    with ExitStack() as stack:
        redis = EmbeddedRedis(directory / "redis").start()
        stack.callback(redis.stop)
        os.sched_setaffinity(redis.pid, {int(LOAD_CORE)})
        asyncio.run(fill(redis.url))
        for name in names:
            if name == "keyturn":
                process = start_keyturn(redis.url, directory / "keyturn.log")
            else:
                process = start_oidc_provider(method, directory / "oidc-provider.log")
            processes[name] = process
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
        for turn in range(-1, rounds):
            for name in names:
                target = _of_method(targets()[name], method)
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
    """Processor time of a process, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _of_method(target: Target, method: str) -> Target:
    if target.name == "keyturn" and method != "private_key_jwt":
        return Target(target.name, target.port, target.path.replace("acme", "basic"), target.issuer)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--only", choices=sorted(PORTS))
    parser.add_argument("--method", choices=["private_key_jwt", "client_secret_basic"])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    names = [chosen.only] if chosen.only else list(PORTS)
    for method in [chosen.method] if chosen.method else ["private_key_jwt", "client_secret_basic"]:
        results = measure(method, names, rounds=chosen.rounds, seconds=chosen.seconds)
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
