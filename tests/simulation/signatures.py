"""Cache of Ed25519 signatures: those made here need not be verified repeatedly.

A run signs some dozens of messages, and every node checks each of them with every read. Any other message,
signature or key gets the real verification.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keyturn_shared.jose.algorithms import EddsaAlgorithm
from keyturn_shared.signed_log.keys import LogSigningKeys, LogVerificationKeys

_log_sign: Final = LogSigningKeys.sign
_log_verify: Final = LogVerificationKeys.verify
_sign: Final = EddsaAlgorithm.sign
_verify: Final = EddsaAlgorithm.verify


class KnownSignatures:
    """Valid signatures: those made here, and those verified once."""

    def __init__(self) -> None:
        self._of_logs: set[tuple[str, bytes, bytes]] = set()
        self._of_keys: set[tuple[bytes, bytes, bytes]] = set()

    def forget(self) -> None:
        """Clear the cache between runs, which share no message."""
        self._of_logs.clear()
        self._of_keys.clear()

    def sign(self, algorithm: EddsaAlgorithm, key: Ed25519PrivateKey, message: bytes) -> bytes:
        signature = _sign(algorithm, key, message)
        self._of_keys.add((key.public_key().public_bytes_raw(), signature, message))
        return signature

    def verify(
        self, algorithm: EddsaAlgorithm, key: Ed25519PublicKey, signature: bytes, message: bytes
    ) -> None:
        known = key.public_bytes_raw(), signature, message
        if known not in self._of_keys:
            _verify(algorithm, key, signature, message)
            self._of_keys.add(known)

    def sign_log(self, keys: LogSigningKeys, message: bytes) -> bytes:
        signature = _log_sign(keys, message)
        self._of_logs.add((repr(keys.first_alone()), signature, message))
        return signature

    def verify_log(self, keys: LogVerificationKeys, message: bytes, signature: bytes) -> None:
        known = repr(keys), signature, message
        if known not in self._of_logs:
            _log_verify(keys, message, signature)
            self._of_logs.add(known)


@contextmanager
def signatures_kept() -> Iterator[Callable[[], None]]:
    """Yield a function that clears the cache."""
    kept = KnownSignatures()
    with (
        patch.object(EddsaAlgorithm, "sign", lambda *its: kept.sign(*its)),
        patch.object(EddsaAlgorithm, "verify", lambda *its: kept.verify(*its)),
        patch.object(LogSigningKeys, "sign", lambda *its: kept.sign_log(*its)),
        patch.object(LogVerificationKeys, "verify", lambda *its: kept.verify_log(*its)),
    ):
        yield kept.forget
