"""RC2 against the vectors of RFC 2268 section 5 that use all bits of their keys."""

import pytest

from keyturn_shared.keystores.errors import LimitExceededError, MalformedFileError
from keyturn_shared.keystores.pkcs12 import rc2


@pytest.mark.parametrize(
    ("key", "plaintext", "ciphertext"),
    [
        ("ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"),
        ("3000000000000000", "1000000000000001", "30649edf9be7d2c2"),
        ("88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"),
    ],
)
def test_a_block_is_decrypted(key: str, plaintext: str, ciphertext: str) -> None:
    decrypted = rc2.decrypt_cbc(bytes.fromhex(key), bytes(8), bytes.fromhex(ciphertext))
    assert decrypted.hex() == plaintext


def test_a_broken_block_is_malformed() -> None:
    with pytest.raises(MalformedFileError):
        rc2.decrypt_cbc(b"12345", bytes(8), bytes(9))


def test_a_large_ciphertext_is_refused() -> None:
    with pytest.raises(LimitExceededError):
        rc2.decrypt_cbc(b"12345", bytes(8), bytes(200_000))
