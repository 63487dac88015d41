"""Checks the signature of a parsed token. Its claims are checked elsewhere."""

from collections.abc import Collection

from keyturn_shared.jose.algorithms import HmacAlgorithm
from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, BadSignatureError, UnknownKidError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.symmetric import SymmetricKey


def require_algorithm(token: UnverifiedToken, allowed: Collection[str]) -> None:
    """Raise AlgorithmNotAllowedError unless ``alg`` is on the caller's list (RFC 8725 3.1)."""
    if token.header.algorithm.name not in allowed:
        raise AlgorithmNotAllowedError(f"{token.header.algorithm.name} is not on the list")


def verify_signature(token: UnverifiedToken, key: VerificationKey | SymmetricKey) -> None:
    """Raise BadSignatureError unless ``key`` made the signature, and AlgorithmNotAllowedError if the key does
    not allow the token's algorithm."""
    key.verify(token.header.algorithm, token.signature, token.signing_input)


def verify_with_key_set(token: UnverifiedToken, key_set: KeySet) -> VerificationKey:
    """Return the key of the set that made the signature. Raises UnknownKidError if the set has no key with
    this kid (without a kid: no key at all), AlgorithmNotAllowedError if it has none for this algorithm,
    BadSignatureError if none made the signature, and its subclass KeysNotTriedError if not all were tried."""
    algorithm, kid = token.header.algorithm, token.header.kid
    if isinstance(algorithm, HmacAlgorithm):
        raise AlgorithmNotAllowedError(f"{algorithm.name} with a set of public keys")
    candidates = key_set.candidates(kid, algorithm)
    if not candidates:
        if key_set.has_kid(kid) if kid is not None else key_set.keys:
            raise AlgorithmNotAllowedError(f"no key for {algorithm.name} under kid {kid!r}")
        raise UnknownKidError(f"kid {kid!r}")
    for key in candidates:
        try:
            verify_signature(token, key)
        except BadSignatureError:
            continue
        return key
    raise candidates.refusal()
