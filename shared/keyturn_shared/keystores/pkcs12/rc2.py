"""RC2 (RFC 2268), decryption only.

Java before 8u301 and OpenSSL before 3 encrypt the certificates of a PKCS #12 file with RC2 and a 40-bit key,
which ``cryptography`` does not offer. The certificates are public anyway.
"""

import struct
from typing import Final

from keyturn_shared.keystores.errors import LimitExceededError, MalformedFileError

BLOCK_BYTES: Final = 8
_MAX_CIPHERTEXT_BYTES: Final = 128 * 1024  # half a second

# The digits of pi, permuted into each octet once (RFC 2268 section 2).
_PI_TABLE: Final = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
_ROTATIONS: Final = (1, 2, 3, 5)
_MASHED_ROUNDS: Final = (5, 11)


def decrypt_cbc(key: bytes, initialisation_vector: bytes, ciphertext: bytes) -> bytes:
    """Decrypt, without removing the padding. The key's effective bits are its length. Raises
    LimitExceededError for input too long for this pace, MalformedFileError for an incomplete last block."""
    if len(ciphertext) > _MAX_CIPHERTEXT_BYTES:
        raise LimitExceededError(f"more than {_MAX_CIPHERTEXT_BYTES} bytes under RC2")
    if len(ciphertext) % BLOCK_BYTES:
        raise MalformedFileError("the ciphertext is not a whole number of blocks")
    subkeys = _expanded(key)
    plaintext, previous = bytearray(), initialisation_vector
    for start in range(0, len(ciphertext), BLOCK_BYTES):
        block = ciphertext[start : start + BLOCK_BYTES]
        plaintext += bytes(a ^ b for a, b in zip(_decrypt_block(subkeys, block), previous, strict=True))
        previous = block
    return bytes(plaintext)


def _expanded(key: bytes) -> tuple[int, ...]:
    """Expand the key to 64 subkeys of 16 bits (RFC 2268 section 2)."""
    size = len(key)
    octets = bytearray(key)
    for i in range(size, 128):
        octets.append(_PI_TABLE[(octets[i - 1] + octets[i - size]) & 0xFF])
    octets[128 - size] = _PI_TABLE[octets[128 - size]]
    for i in range(127 - size, -1, -1):
        octets[i] = _PI_TABLE[octets[i + 1] ^ octets[i + size]]
    return struct.unpack("<64H", octets)


def _decrypt_block(subkeys: tuple[int, ...], block: bytes) -> bytes:
    words = list(struct.unpack("<4H", block))
    for round_number in range(15, -1, -1):
        for i in (3, 2, 1, 0):
            before, two_before, three_before = words[i - 1], words[i - 2], words[i - 3]
            turned = words[i] >> _ROTATIONS[i] | words[i] << 16 - _ROTATIONS[i]
            mixed = subkeys[4 * round_number + i] + (before & two_before) + (~before & three_before)
            words[i] = (turned - mixed) & 0xFFFF
        if round_number in _MASHED_ROUNDS:
            for i in (3, 2, 1, 0):
                words[i] = (words[i] - subkeys[words[i - 1] & 0x3F]) & 0xFFFF
    return struct.pack("<4H", *words)
