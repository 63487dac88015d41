"""Records and keys for the unit tests."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_shared.position import Position
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.record_transitions import Attempt

POLICY = KeySetPolicy()
URL = "https://client.example/jwks"


def make_key(kid: str) -> VerificationKey:
    return VerificationKey.from_public_key(ec.generate_private_key(ec.SECP256R1()).public_key(), kid=kid)


def make_set(*kids: str) -> KeySet:
    return KeySet.of(make_key(kid) for kid in kids)


def make_attempt(at: float = 1000.0, **changes: Any) -> Attempt:
    fields: dict[str, Any] = {"generation": int(at * 1000), "as_of": Position(7, 100), "random": 0.0}
    return Attempt(began_at=at, **{**fields, **changes})


def empty_record() -> KeySetRecord:
    return KeySetRecord(url=URL)
