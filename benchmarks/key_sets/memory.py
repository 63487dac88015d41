"""Memory of a key set on a node that caches it parsed, and in Redis."""

import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.key_sets.surroundings import REALM
from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_sets.record import KeySetRecord, decode_record, encode_record
from keyturn_shared.position import Position
from keyturn_verifier.key_sets.cache import KeySetCache
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.record_transitions import Attempt, with_keys

_POLICY = KeySetPolicy()


@dataclass(frozen=True)
class MemoryResult:
    """Bytes per set of ``keys`` P-256 keys. ``node_bytes``: resident, of a record and its parsed keys.
    ``record_bytes``: the value in Redis. ``parse_seconds``: of one set."""

    sets: int
    keys: int
    node_bytes: float
    record_bytes: int
    parse_seconds: float


async def run(sets: int, keys: int) -> MemoryResult:
    """Cache this many different sets."""
    now = SystemClock().now()
    jwks = [_jwk(f"{REALM.name}-{number}") for number in range(512)]
    records = []
    for number in range(sets):
        members = [
            {**jwks[(number * keys + each) % len(jwks)], "kid": f"{number}-{each}"} for each in range(keys)
        ]
        record = KeySetRecord(url=f"https://client-{number}.example/.well-known/jwks.json")
        attempt = Attempt(number + 1, Position(1, 1), now, 0.5)
        parsed = KeySet.from_members({"keys": members})
        records.append(encode_record(with_keys(record, attempt, parsed, {"etag": f'"{number}"'}, _POLICY)))
    held = KeySetCache(sets)
    before, began = _resident(), time.perf_counter()
    for number, value in enumerate(records):
        await held.admit(str(number), decode_record(value))
    took = time.perf_counter() - began
    return MemoryResult(sets, keys, (_resident() - before) / sets, len(records[-1]), took / sets)


def _jwk(kid: str) -> dict[str, object]:
    key = VerificationKey.from_public_key(ec.generate_private_key(ec.SECP256R1()).public_key(), kid=kid)
    return {**key.public_jwk, "alg": "ES256"}


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
