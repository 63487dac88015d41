"""Names of unsupported algorithms that archives may use."""

from typing import Final

from keyturn_shared.keystores.asn1 import dotted, oid

CONVERSION: Final = (
    "openssl pkcs12 -legacy -in OLD -out KEYS.pem",
    "openssl pkcs12 -export -in KEYS.pem -out NEW",
)
"""OpenSSL 3.0 reads what it exports twice, so it cannot be a pipe; the file's key is encrypted."""
CONVERT: Final = f"convert it first, for example with {CONVERSION[0]} and then {CONVERSION[1]}"

_NAMES: Final = {
    oid("1.2.840.113549.1.12.1.1"): "RC4 (128 bits)",
    oid("1.2.840.113549.1.12.1.2"): "RC4 (40 bits)",
    oid("1.2.840.113549.1.5.1"): "MD2 and DES",
    oid("1.2.840.113549.1.5.3"): "MD5 and DES",
    oid("1.2.840.113549.1.5.4"): "MD2 and RC2",
    oid("1.2.840.113549.1.5.6"): "MD5 and RC2",
    oid("1.2.840.113549.1.5.10"): "SHA-1 and DES",
    oid("1.2.840.113549.1.5.11"): "SHA-1 and RC2",
    oid("1.3.14.3.2.7"): "DES",
    oid("1.2.840.113549.3.2"): "RC2",
    oid("1.2.840.113549.3.4"): "RC4",
    oid("1.2.840.113549.2.2"): "MD2",
    oid("1.2.840.113549.2.5"): "MD5",
    oid("1.2.840.113549.2.6"): "HMAC-MD5",
    oid("1.3.6.1.4.1.11591.4.11"): "scrypt",
    oid("1.2.410.200004.1.4"): "SEED",
    oid("1.2.392.200011.61.1.1.1.4"): "Camellia (256 bits)",
}


def name_of(identifier: bytes) -> str:
    """Return an algorithm's name, or its number. ``identifier``: as returned by ``oid``."""
    return _NAMES.get(identifier) or f"the algorithm {dotted(identifier)}"
