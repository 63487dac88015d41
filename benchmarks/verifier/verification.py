"""Verification of access tokens by one node: answers per second, beside node-oidc-provider and three floors.

The server under load has core 0 for itself; wrk and Redis share core 1. Rounds alternate between everything
that is compared, and ratios are taken within a round, since the machine's speed drifts. A token "never seen"
is sent once in the whole run; those "seen before" are a hundred, sent again and again. Callers authenticate
by secret. oidc-provider introspects opaque tokens, which it keeps in memory.

Floors: uvicorn (raw ASGI) and ``node:http``, each with a constant answer; cryptography's ES256 verification
alone, on one core.

    python -m benchmarks.verifier.verification [--rounds 3] [--seconds 4] [--only introspect-seen]

Needs two cores, ``taskset``, and the packages of ``tests/node``. Log, metrics and limits are on. Excluded:
TLS.
"""

import argparse
import asyncio
import base64
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks import provenance
from benchmarks.results import Figure
from benchmarks.verifier.target import LOAD_CORE, SERVER_CORE, Target, start_node, until_answers
from benchmarks.verifier.token_endpoint import CLIENT, SECRET, start_oidc_provider
from benchmarks.verifier.wrk import RequestFile, WrkResult, figure_of, run_wrk
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.entities import ClientState, RealmState
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.grant import Grant
from keyturn_shared.projection import ClientProjection, RealmProjection
from keyturn_shared.redis_client import connect
from tests.testkit.filled_redis import RING, Filling, client_of, projected_key, realm_of
from tests.testkit.nodejs import node_directory
from tests.testkit.ports import find_free_port

SEEN_TOKENS: Final = 100
BATCH: Final = 100
_ANSWER_OCTETS: Final = 400
_MOST_PER_SECOND: Final = {"introspect-new": 16_000, "forward-auth-new": 16_000, "verify-new": 250}
"""Requests that no server here reaches: so many new tokens are made."""


@dataclass
class Measured:
    """Results of the rounds of one kind of load, by server."""

    rounds: dict[str, list[WrkResult]] = field(default_factory=dict)

    def add(self, name: str, result: WrkResult) -> None:
        self.rounds.setdefault(name, []).append(result)

    def ratio(self, name: str, other: str, share: Callable[[WrkResult], float]) -> float:
        """Return the median ratio within a round."""
        pairs = zip(self.rounds[name], self.rounds[other], strict=True)
        return statistics.median(share(mine) / share(theirs) for mine, theirs in pairs)


class Tokens:
    """Access tokens of a realm, as a node there would issue them."""

    def __init__(self, realm: RealmProjection, client: ClientProjection, base_url: str) -> None:
        self._realm = RealmState(realm, RING, base_url)
        self._client = ClientState(client).projection
        self._issuer = AccessTokenIssuer(SystemClock())

    def issue(self) -> str:
        return self._issuer.issue(self._realm, self._client, Grant("read", ())).token


def post(path: str, port: int, body: str, kind: str) -> bytes:
    """Build a request of a caller that authenticates by secret."""
    pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Basic {pair}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def introspect(path: str, port: int, token: str) -> bytes:
    return post(path, port, f"token={token}", "application/x-www-form-urlencoded")


def forward_auth(port: int, token: str) -> bytes:
    return (
        f"GET /realms/acme/forward-auth HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()


def verify(port: int, tokens: Iterable[str]) -> bytes:
    return post("/realms/acme/verify", port, json.dumps({"tokens": list(tokens)}), "application/json")


def opaque_tokens(target: Target, count: int) -> list[str]:
    """Return tokens that oidc-provider has issued."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{target.port}{target.path}", b"grant_type=client_credentials&scope=read"
    )
    request.add_header("Authorization", "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode())
    issued = []
    for _ in range(count):
        with urllib.request.urlopen(request, timeout=10) as answer:
            issued.append(json.load(answer)["access_token"])
    return issued


def signature_floor(seconds: float) -> WrkResult:
    """Measure the floor of a signature on the server's core. It has no latencies."""
    command = ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "benchmarks.verifier.signature_floor"]
    done = subprocess.run([*command, str(seconds)], capture_output=True, text=True, check=True)
    return WrkResult(float(done.stdout), 0.0, 0.0)


class Bench:
    """The servers, and the requests for each kind of load."""

    def __init__(self, stack: ExitStack, *, seconds: float) -> None:
        self._stack = stack
        self._seconds = seconds
        self._directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keyturn-bench-")))
        self.realm = realm_of("acme", signing_keys=(projected_key(SigningKey.generate("ES256")),))
        self._client = client_of(self.realm, CLIENT, secret=SECRET)
        redis = EmbeddedRedis(self._directory / "redis").start()
        stack.callback(redis.stop)
        os.sched_setaffinity(redis.pid, {int(LOAD_CORE)})
        self.redis_url = redis.url
        self.filling = asyncio.run(self._fill(redis.url))
        self.node = find_free_port()
        self._start(start_node(redis.url, self.node, self._directory / "node.log", core=SERVER_CORE))
        self.oidc = Target.of_oidc_provider(find_free_port())
        log = self._directory / "oidc-provider.log"
        method = "client_secret_basic"
        self._start(start_oidc_provider(method, self.oidc.port, log, token_format="opaque"))
        script = str(Path(__file__).with_name("http_floor.mjs"))
        self.floors = {
            "uvicorn": self._start_floor(sys.executable, "-m", "benchmarks.verifier.asgi_floor"),
            "node:http": self._start_floor(str(node_directory() / "bin" / "node"), script),
        }
        until_answers(f"http://127.0.0.1:{self.node}/health/ready")
        until_answers(f"http://127.0.0.1:{self.oidc.port}/.well-known/openid-configuration")
        for port in self.floors.values():
            until_answers(f"http://127.0.0.1:{port}/")
        self._tokens = Tokens(self.realm, self._client, f"http://127.0.0.1:{self.node}")
        self._seen = [self._tokens.issue() for _ in range(SEEN_TOKENS)]

    def measure(self, kind: str, rounds: int) -> Measured:
        """Alternate between everything that is compared under one kind of load."""
        measured = Measured()
        loads = self.loads(kind)
        for turn in range(-1, rounds):
            for name, run in loads.items():
                result = run(self._seconds if turn >= 0 else 1.0)
                if turn >= 0:  # the round before is for warming up
                    measured.add(name, result)
        return measured

    def loads(self, kind: str) -> dict[str, Callable[[float], WrkResult]]:
        """Return everything that is compared under one kind of load, by name."""
        endpoint, _, age = kind.rpartition("-")
        if endpoint == "verify":
            return {"keyturn": self._of_new(kind), "signature floor": signature_floor}
        make = self._introspect if endpoint == "introspect" else self._forward_auth
        loads = {
            name: self._of(port, [make(port, token) for token in self._seen])
            for name, port in self.floors.items()
        }
        if age == "new":
            return {"keyturn": self._of_new(kind)} | loads
        loads = {"keyturn": self._of(self.node, [make(self.node, token) for token in self._seen])} | loads
        if endpoint == "introspect":
            port, path = self.oidc.port, f"{self.oidc.path}/introspection"
            theirs = [introspect(path, port, token) for token in opaque_tokens(self.oidc, SEEN_TOKENS)]
            loads["oidc-provider"] = self._of(port, theirs)
        return loads

    def seen_introspections(self) -> list[bytes]:
        """Return requests about the tokens that are sent again and again."""
        return [self._introspect(self.node, token) for token in self._seen]

    def new_batch(self, size: int) -> bytes:
        """Return a request of ``/verify`` with tokens never seen."""
        return verify(self.node, [self._tokens.issue() for _ in range(size)])

    def _of(self, port: int, requests: list[bytes]) -> Callable[[float], WrkResult]:
        file = RequestFile(requests)
        self._stack.callback(file.remove)
        return lambda seconds: run_wrk(port, file, seconds=seconds, core=LOAD_CORE)

    def _of_new(self, kind: str) -> Callable[[float], WrkResult]:
        def run(seconds: float) -> WrkResult:
            count = int((seconds + 0.5) * _MOST_PER_SECOND[kind])
            file = RequestFile(itertools.islice(self._new_requests(kind), count), once=True)
            try:
                return run_wrk(self.node, file, seconds=seconds, core=LOAD_CORE)
            finally:
                file.remove()

        return run

    def _new_requests(self, kind: str) -> Iterator[bytes]:
        while True:
            if kind == "introspect-new":
                yield self._introspect(self.node, self._tokens.issue())
            elif kind == "forward-auth-new":
                yield self._forward_auth(self.node, self._tokens.issue())
            else:
                yield self.new_batch(BATCH)

    def _introspect(self, port: int, token: str) -> bytes:
        return introspect("/realms/acme/protocol/openid-connect/token/introspect", port, token)

    def _forward_auth(self, port: int, token: str) -> bytes:
        return forward_auth(port, token)

    def _start_floor(self, *program: str) -> int:
        port = find_free_port()
        pinned = ["taskset", "-c", SERVER_CORE, *program, str(port), str(_ANSWER_OCTETS)]
        self._start(subprocess.Popen(pinned))
        return port

    def _start(self, process: subprocess.Popen[bytes]) -> None:
        self._stack.callback(process.wait, 10)
        self._stack.callback(process.terminate)

    async def _fill(self, redis_url: str) -> Filling:
        redis = connect(redis_url)
        filling = Filling.on(redis)
        await filling.open(self.realm, self._client)
        await redis.aclose()
        return filling


KINDS: Final = ("introspect-seen", "introspect-new", "forward-auth-seen", "forward-auth-new", "verify-new")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--only", choices=KINDS, action="append")
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before = provenance.busy_before()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    found: list[Figure] = []
    with ExitStack() as stack:
        bench = Bench(stack, seconds=chosen.seconds)
        for kind in chosen.only or KINDS:
            measured = bench.measure(kind, chosen.rounds)
            show(kind, measured)
            found += figures(kind, measured)
    provenance.hand_over(
        chosen.results,
        "verification",
        found,
        excluded=("TLS",),
        programs=("uvloop", "uvicorn", "Redis", "Node.js", "oidc-provider", "wrk"),
        busy=before,
    )
    return 0


def figures(kind: str, measured: Measured) -> list[Figure]:
    """Return the rates of everything under one kind of load, and keyturn's ratios to the others."""
    each = BATCH if kind == "verify-new" else 1
    others = [(name, rounds) for name, rounds in measured.rounds.items() if name != "keyturn"]
    mine = figure_of(kind, "keyturn", measured.rounds["keyturn"], *others, each=each)
    return [mine, *(figure_of(kind, name, rounds) for name, rounds in others)]


def show(kind: str, measured: Measured) -> None:
    """Print the medians, and the ratios within a round."""
    each = BATCH if kind == "verify-new" else 1
    print(kind, "(tokens)" if each > 1 else "")
    for name, rounds in measured.rounds.items():
        per_second = statistics.median(result.per_second for result in rounds)
        line = f"  {name:16} {per_second * (each if name == 'keyturn' else 1):9.0f}/s"
        if any(result.p50 for result in rounds):
            p50, p99 = (statistics.median(getattr(result, at) for result in rounds) for at in ("p50", "p99"))
            line += f"  p50 {p50:6.2f} ms  p99 {p99:6.2f} ms"
        if name != "keyturn":
            ratio = each * measured.ratio("keyturn", name, lambda result: result.per_second)
            line += f"  keyturn has {ratio:.2f} of it"
        print(line)


if __name__ == "__main__":
    sys.exit(main())
