"""Cost of strict reading: parse, verify and check one token, compared with cryptography's raw verify.

Both run on one thread in short alternating rounds of one process; the ratio of a round is taken within the
round, and the median of the ratios counts. 1.0 would mean that reading a token is free.

    python -m benchmarks.jose_verify [--rounds 31] [--seconds 0.1] [--json]
"""

import argparse
import hmac
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from benchmarks import provenance
from benchmarks.results import Figure, figure, ratio
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.symmetric import SymmetricKey
from keyturn_shared.jose.verify import require_algorithm, verify_signature, verify_with_key_set
from keyturn_shared.secret import Secret
from tests.testkit.secret_signing import sign_with_secret

NOW = 1_795_000_000
CLAIMS = {
    "iss": "payments-settlement-worker",
    "sub": "payments-settlement-worker",
    "aud": "https://id.example.com/realms/acme",
    "jti": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 60,
}


@dataclass(frozen=True)
class Result:
    """Calls per second on one core, and the median over the rounds of ours / raw."""

    algorithm: str
    raw_per_second: float
    ours_per_second: float
    ratio: float
    times: tuple[tuple[float, float], ...]
    """Seconds of a call, raw and ours, by round."""


def measure(algorithm: str, *, rounds: int, seconds: float) -> Result:
    """Compare one algorithm."""
    ours, raw = _pair(algorithm)
    # The first calls fill caches; half a round more settles the processor's clock.
    calls = max(1, round(seconds / _seconds_per_call(raw, 200)))
    _seconds_per_call(ours, calls // 2)
    times: list[tuple[float, float]] = [
        (_seconds_per_call(raw, calls), _seconds_per_call(ours, calls))
        if turn % 2
        else (_seconds_per_call(ours, calls), _seconds_per_call(raw, calls))[::-1]
        for turn in range(rounds)
    ]
    return Result(
        algorithm,
        raw_per_second=1 / statistics.median(raw_time for raw_time, _ in times),
        ours_per_second=1 / statistics.median(our_time for _, our_time in times),
        ratio=statistics.median(raw_time / our_time for raw_time, our_time in times),
        times=tuple(times),
    )


def figures(result: Result) -> list[Figure]:
    raw, ours = ([1 / each[at] for each in result.times] for at in (0, 1))
    return [
        figure(result.algorithm, "keyturn", "1/s", ours, ratios=[ratio("raw verify", ours, raw)]),
        figure(result.algorithm, "raw verify", "1/s", raw),
    ]


def _pair(algorithm: str) -> tuple[Callable[[], object], Callable[[], object]]:
    if algorithm in SYMMETRIC_NAMES:
        return _symmetric_pair(algorithm)
    key = SigningKey.generate(algorithm)
    token = key.sign_compact(key.header_segment(), CLAIMS)
    key_set = KeySet.of([key.verification_key])

    def ours() -> float:
        parsed = parse_compact(token)
        require_algorithm(parsed, ASYMMETRIC_NAMES)
        verify_with_key_set(parsed, key_set)
        return check_times(parsed.claims, now=NOW)

    ours()
    parsed = parse_compact(token)
    public_key: Any = key.verification_key.public_key
    signature, arguments = _as_cryptography_takes_it(algorithm, parsed.signature)
    signing_input = parsed.signing_input
    return ours, lambda: public_key.verify(signature, signing_input, *arguments)


def _as_cryptography_takes_it(algorithm: str, signature: bytes) -> tuple[bytes, tuple[Any, ...]]:
    match algorithm:
        case "ES256":
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            return utils.encode_dss_signature(r, s), (ec.ECDSA(hashes.SHA256()),)
        case "RS256":
            return signature, (padding.PKCS1v15(), hashes.SHA256())
        case "PS256":
            return signature, (padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        case _:
            return signature, ()


def _symmetric_pair(algorithm: str) -> tuple[Callable[[], object], Callable[[], object]]:
    secret = "s" * 64
    key = SymmetricKey(Secret(secret))
    token = sign_with_secret(secret, algorithm, CLAIMS)

    def ours() -> float:
        parsed = parse_compact(token)
        require_algorithm(parsed, SYMMETRIC_NAMES)
        verify_signature(parsed, key)
        return check_times(parsed.claims, now=NOW)

    ours()
    parsed = parse_compact(token)
    octets, digest = secret.encode(), f"sha{algorithm[2:]}"
    return ours, lambda: hmac.compare_digest(
        hmac.digest(octets, parsed.signing_input, digest), parsed.signature
    )


def _seconds_per_call(function: Callable[[], object], calls: int) -> float:
    # Processor time, not wall-clock time, to exclude other load.
    started = time.thread_time()
    for _ in range(calls):
        function()
    return (time.thread_time() - started) / calls


def main() -> None:
    """Print one line for each algorithm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--seconds", type=float, default=0.1, help="length of one half of a round")
    parser.add_argument("--json", action="store_true")
    provenance.add_option(parser)
    arguments = parser.parse_args()
    before = provenance.busy_before()
    results = [
        measure(algorithm, rounds=arguments.rounds, seconds=arguments.seconds)
        for algorithm in ("ES256", "RS256", "PS256", "EdDSA", "HS256")
    ]
    provenance.hand_over(
        arguments.results,
        "jose_verify",
        [each for result in results for each in figures(result)],
        busy=before,
    )
    if arguments.json:
        print(json.dumps([asdict(result) for result in results]))
        return
    print(f"{'':8}{'raw/s':>12}{'ours/s':>12}{'ratio':>8}")
    for result in results:
        print(
            f"{result.algorithm:8}{result.raw_per_second:12,.0f}"
            f"{result.ours_per_second:12,.0f}{result.ratio:8.3f}"
        )


if __name__ == "__main__":
    main()
