"""Mechanisms of PKCS#11 (version 3.1) by the ``alg`` of their signatures."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import padding
from pkcs11.mechanisms import MGF, Mechanism

from keyturn_shared.jose.algorithms import (
    SIGNATURE_ALGORITHMS,
    EcdsaAlgorithm,
    EddsaAlgorithm,
    RsaAlgorithm,
)


@dataclass(frozen=True, slots=True)
class Signing:
    """Arguments for the token. ``digest``: the hash that is computed here, None if the token computes it.
    ``size``: octets of each signature, None if it is the size of the modulus."""

    mechanism: Mechanism
    parameter: Any = None
    digest: str | None = None
    size: int | None = None

    def prepared(self, data: bytes) -> bytes:
        """Return what the token signs."""
        return data if self.digest is None else hashlib.new(self.digest, data).digest()


def _signing(algorithm: RsaAlgorithm | EcdsaAlgorithm | EddsaAlgorithm) -> Signing:
    match algorithm:
        case EcdsaAlgorithm():  # few tokens have ECDSA with a hash of their own
            return Signing(Mechanism.ECDSA, None, f"sha{algorithm.name[2:]}", 2 * algorithm.size)
        case EddsaAlgorithm():
            return Signing(Mechanism.EDDSA, None, None, 64)
    sha = f"SHA{algorithm.name[2:]}"
    if isinstance(algorithm.padding, padding.PSS):
        parameter = (Mechanism[sha], MGF[sha], algorithm.hash.digest_size)
        return Signing(Mechanism[f"{sha}_RSA_PKCS_PSS"], parameter)
    return Signing(Mechanism[f"{sha}_RSA_PKCS"])


SIGNING: Final = {name: _signing(algorithm) for name, algorithm in SIGNATURE_ALGORITHMS.items()}
