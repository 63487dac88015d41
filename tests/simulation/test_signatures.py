"""The cache of signatures only saves work: everything not signed here is verified."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn_shared.jose.algorithms import EDDSA_ALGORITHMS
from keyturn_shared.jose.errors import BadSignatureError
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.simulation.signatures import signatures_kept

_EDDSA = EDDSA_ALGORITHMS[0]


def test_a_kept_signature_holds_for_its_message_and_its_key_alone() -> None:
    key, other = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
    real = _EDDSA.sign(key, b"message")
    with signatures_kept():
        assert _EDDSA.sign(key, b"message") == real
        for _ in range(2):
            _EDDSA.verify(key.public_key(), real, b"message")
            for public, message in ((key.public_key(), b"another"), (other.public_key(), b"message")):
                with pytest.raises(BadSignatureError):
                    _EDDSA.verify(public, real, message)
            with pytest.raises(BadSignatureError):
                _EDDSA.verify(key.public_key(), real[:-1] + bytes([real[-1] ^ 1]), b"message")


def test_a_kept_signature_of_a_log_holds_for_its_message_and_its_keys_alone() -> None:
    keys, others = LogSigningKeys([b"a" * 32]), LogSigningKeys([b"b" * 32])
    real = keys.sign(b"message")
    with signatures_kept() as forget:
        assert keys.sign(b"message") == real
        for _ in range(2):
            keys.verification().verify(b"message", real)
            for verifying, message in ((keys, b"another"), (others, b"message")):
                with pytest.raises(ForgedError):
                    verifying.verification().verify(message, real)
        forget()
        keys.verification().verify(b"message", real)
