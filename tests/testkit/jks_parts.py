"""JKS files built part by part, each with one fault."""

from cryptography.hazmat.primitives.serialization import Encoding

from keyturn_credentials.keystores import KeyPairKind
from keyturn_shared.keystores.jks.key_protector import protect
from keyturn_shared.keystores.jks.layout import encode_text, store_digest
from tests.testkit.key_material import KEY, STORE, certificate, counting_octets, key_pair

DER = certificate().public_bytes(Encoding.DER)
"""Of the certificate of ``certificate_entry``."""


def number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "big")


def text(value: str) -> bytes:
    octets = encode_text(value)
    return number(len(octets), 2) + octets


def archive(*entries: bytes, count: int | None = None, version: int = 2) -> bytes:
    """Build a JKS file of these entries, with a valid digest."""
    head = bytes.fromhex("feedfeed") + number(version)
    content = head + number(len(entries) if count is None else count) + b"".join(entries)
    return content + store_digest(STORE, content)


def certificate_entry(alias: str = "a", der: bytes = DER, kind: str = "X.509") -> bytes:
    return number(2) + text(alias) + number(0, 8) + text(kind) + number(len(der)) + der


def key_entry(protected: bytes, *chain: bytes, alias: str = "a", certificates: int | None = None) -> bytes:
    count = number(len(chain) if certificates is None else certificates)
    certs = b"".join(text("X.509") + number(len(der)) + der for der in chain)
    return number(1) + text(alias) + number(0, 8) + number(len(protected)) + protected + count + certs


def protected_key(kind: KeyPairKind = KeyPairKind.P_256) -> bytes:
    return protect(key_pair(kind).private_key_info(), KEY, counting_octets())
