"""Dummy keys: a check without a client's key takes as long with them as with a real one."""

import secrets
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from keyturn_shared.jose.algorithms import ALGORITHMS, SIGNATURE_ALGORITHMS, EcdsaAlgorithm, RsaAlgorithm
from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.symmetric import SymmetricKey
from keyturn_shared.jose.verify import verify_signature
from keyturn_shared.secret import Secret

_RSA_BITS: Final = 2048


class DummyKeys:
    """One key for each algorithm."""

    def __init__(self) -> None:
        self._keys = _dummy_keys()

    def equalize_time(self, token: UnverifiedToken) -> None:
        """Check the token's signature with a dummy key, and discard the result."""
        try:
            verify_signature(token, self._keys[token.header.algorithm.name])
        except JoseError:
            return


def _dummy_keys() -> Mapping[str, VerificationKey | SymmetricKey]:
    octets = SymmetricKey(Secret(secrets.token_hex(32)))
    # Verification needs no factors, so any odd modulus takes as long; generating a real key pair takes 100
    # ms.
    modulus = secrets.randbits(_RSA_BITS) | 1 << (_RSA_BITS - 1) | 1
    rsa_key = rsa.RSAPublicNumbers(65537, modulus).public_key()
    keys: dict[str, VerificationKey | SymmetricKey] = dict.fromkeys(ALGORITHMS, octets)
    for name, algorithm in SIGNATURE_ALGORITHMS.items():
        if isinstance(algorithm, RsaAlgorithm):
            keys[name] = VerificationKey.from_public_key(rsa_key)
        elif isinstance(algorithm, EcdsaAlgorithm):
            keys[name] = VerificationKey.from_public_key(
                ec.generate_private_key(algorithm.curve).public_key()
            )
        else:
            keys[name] = VerificationKey.from_public_key(ed25519.Ed25519PrivateKey.generate().public_key())
    return keys
