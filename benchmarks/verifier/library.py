"""Access tokens verified in the process of a resource server, by the library, on one core.

Tokens "seen before" are a hundred, verified again and again; those "never seen" once each. Compared with
cryptography's ES256 verification alone and with PyJWT, which verifies each token each time and knows nothing
of revocations.

    python -m benchmarks.verifier.library [--rounds 3] [--seconds 2]
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import jwt
import uvloop
from pydantic import AnyHttpUrl, SecretStr

from benchmarks import provenance
from benchmarks.results import Figure, figure, ratio
from benchmarks.verifier.target import LOAD_CORE, SERVER_CORE
from benchmarks.verifier.token_endpoint import CLIENT, SECRET
from benchmarks.verifier.verification import SEEN_TOKENS, Tokens, signature_floor
from keyturn.resource_server import Verifier
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from keyturn_verifier.settings import ResourceServerSettings
from tests.testkit.filled_redis import FLEET_KEY, Filling, client_of, projected_key, realm_of

_BASE_URL: Final = "https://id.example.test"
_AUDIENCE: Final = f"{_BASE_URL}/realms/acme"
_AT_ONCE: Final = 100
_FLOOR: Final = "signature alone"
_MOST_PER_SECOND: Final = 30_000


async def per_second(verify: Callable[[str], Awaitable[Any]], tokens: Iterator[str], seconds: float) -> float:
    """Verify one token after the other."""
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        for _ in range(_AT_ONCE):
            await verify(next(tokens))
        count += _AT_ONCE
    return count / (time.perf_counter() - begun)


def again(tokens: list[str]) -> Iterator[str]:
    while True:
        yield from tokens


async def measure(rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return tokens per second, by what verified them."""
    key = SigningKey.generate("ES256")
    realm = realm_of("acme", signing_keys=(projected_key(key),))
    client = client_of(realm, CLIENT, secret=SECRET)
    issuer = Tokens(realm, client, _BASE_URL)
    public = jwt.PyJWK(key.public_jwk)
    results: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        redis = EmbeddedRedis(Path(directory)).start()
        os.sched_setaffinity(redis.pid, {int(LOAD_CORE)})
        try:
            connection = connect(redis.url)
            await Filling.on(connection, lease=600).open(realm, client)
            settings = ResourceServerSettings(
                redis_url=redis.url,
                fleet_keys=SecretStr(FLEET_KEY),
                public_url=AnyHttpUrl(_BASE_URL),
            )
            async with Verifier("acme", audience=_AUDIENCE, settings=settings) as verifier:

                async def by_pyjwt(token: str) -> None:
                    jwt.decode(token, public, ["ES256"], audience=_AUDIENCE, issuer=_AUDIENCE)

                seen = [issuer.issue() for _ in range(SEEN_TOKENS)]
                await per_second(verifier.verify_access_token, again(seen), 0.1)
                for _ in range(rounds):
                    new = [issuer.issue() for _ in range(int(seconds * _MOST_PER_SECOND))]
                    for name, verify, tokens in (
                        ("keyturn, seen before", verifier.verify_access_token, again(seen)),
                        ("keyturn, never seen", verifier.verify_access_token, iter(new)),
                        ("PyJWT", by_pyjwt, again(seen)),
                    ):
                        rate = await per_second(verify, tokens, seconds)
                        results.setdefault(name, []).append(rate)
                    results.setdefault(_FLOOR, []).append(signature_floor(seconds).per_second)
            await connection.aclose()
        finally:
            redis.stop()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before = provenance.busy_before()
    os.sched_setaffinity(0, {int(SERVER_CORE)})
    results = uvloop.run(measure(chosen.rounds, chosen.seconds))
    floor = results[_FLOOR]
    for name, rates in results.items():
        share = statistics.median(rate / alone for rate, alone in zip(rates, floor, strict=True))
        print(f"{name:22} {statistics.median(rates):9.0f}/s  {share:6.2f} of signatures alone")
    provenance.hand_over(
        chosen.results,
        "library",
        figures(results),
        excluded=("HTTP",),
        programs=("uvloop", "PyJWT", "Redis"),
        busy=before,
    )


def figures(results: dict[str, list[float]]) -> list[Figure]:
    """Return the rate of each verifier with its ratio to signatures alone."""
    floor = results[_FLOOR]
    return [
        figure("verify", name, "1/s", rates, ratios=[] if name == _FLOOR else [ratio(_FLOOR, rates, floor)])
        for name, rates in results.items()
    ]


if __name__ == "__main__":
    main()
