"""Writes JKS."""

from collections.abc import Callable, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from keyturn_credentials.keystores.archive import CertificateEntry, KeyEntry
from keyturn_shared.keystores.entries import java_alias
from keyturn_shared.keystores.jks.key_protector import protect
from keyturn_shared.keystores.jks.layout import (
    CERTIFICATE_ENTRY,
    CERTIFICATE_TYPE,
    KEY_ENTRY,
    VERSION,
    encode_text,
    store_digest,
)
from keyturn_shared.keystores.magic import JKS_MAGIC
from keyturn_shared.secret import Secret


def write_jks(
    entries: Sequence[KeyEntry | CertificateEntry],
    *,
    store_password: Secret,
    key_password: Secret,
    now: datetime,
    random_bytes: Callable[[int], bytes],
) -> bytes:
    """Write a JKS file, version 2. Aliases are written in lower case: Java looks them up in this form, and
    would not find others."""
    made_at = int(now.timestamp() * 1000).to_bytes(8, "big")
    content = [JKS_MAGIC, _number(VERSION), _number(len(entries))]
    for entry in entries:
        alias = _text(java_alias(entry.alias))
        if isinstance(entry, KeyEntry):
            protected = protect(entry.key_pair.private_key_info(), key_password, random_bytes)
            content += [_number(KEY_ENTRY), alias, made_at, _number(len(protected)), protected]
            content += [_number(len(entry.chain)), *map(_certificate, entry.chain)]
        else:
            content += [_number(CERTIFICATE_ENTRY), alias, made_at, _certificate(entry.certificate)]
    octets = b"".join(content)
    return octets + store_digest(store_password, octets)


def _certificate(certificate: x509.Certificate) -> bytes:
    der = certificate.public_bytes(Encoding.DER)
    return _text(CERTIFICATE_TYPE) + _number(len(der)) + der


def _text(text: str) -> bytes:
    octets = encode_text(text)
    return len(octets).to_bytes(2, "big") + octets


def _number(number: int) -> bytes:
    return number.to_bytes(4, "big")
