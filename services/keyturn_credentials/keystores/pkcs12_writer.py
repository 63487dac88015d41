"""Writes PKCS #12."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from keyturn_credentials.keystores.archive import CertificateEntry, KeyEntry
from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import InvalidParameterError
from keyturn_shared.keystores.pkcs12 import identifiers
from keyturn_shared.keystores.pkcs12.encryption import encrypt
from keyturn_shared.keystores.pkcs12.integrity import make_mac
from keyturn_shared.secret import Secret

ITERATIONS: Final = 100_000
"""Iterations for each derived key: ten times Java's number, fifty times OpenSSL's."""


def write_pkcs12(
    entries: Sequence[KeyEntry | CertificateEntry],
    *,
    store_password: Secret,
    now: datetime,
    random_bytes: Callable[[int], bytes],
) -> bytes:
    """Write a PKCS #12 file, encrypted and authenticated under the store password, private keys included.
    Raises InvalidParameterError for a password that Java can't use."""
    # Java's PBE keys accept ASCII only: with other characters it throws on opening such a file.
    if not all(" " <= character <= "~" for character in store_password.reveal()):
        raise InvalidParameterError(
            "the store password of PKCS12 must be printable ASCII: Java cannot open the archive otherwise"
        )
    key_bags, certificate_bags = [], []
    for position, entry in enumerate(entries):
        if isinstance(entry, KeyEntry):
            # Java reads an entry's creation time from this. The position keeps several apart.
            local_key_id = b"Time %d" % (int(now.timestamp() * 1000) + position)
            attributes = _attributes(entry.alias, local_key_id=local_key_id)
            algorithm, ciphertext = encrypt(
                entry.key_pair.private_key_info(),
                store_password,
                iterations=ITERATIONS,
                random_bytes=random_bytes,
            )
            shrouded = asn1.sequence(algorithm, asn1.octet_string(ciphertext))
            key_bags.append(_bag(identifiers.SHROUDED_KEY_BAG, shrouded, attributes))
            leaf, *issuers = entry.chain
            certificate_bags.append(_certificate_bag(leaf, attributes))
            certificate_bags += [_certificate_bag(issuer) for issuer in issuers]
        else:
            attributes = _attributes(entry.alias, is_trusted=True)
            certificate_bags.append(_certificate_bag(entry.certificate, attributes))
    algorithm, ciphertext = encrypt(
        asn1.sequence(*certificate_bags), store_password, iterations=ITERATIONS, random_bytes=random_bytes
    )
    contents = [_encrypted_data(algorithm, ciphertext)]
    if key_bags:
        contents.insert(0, _data(asn1.sequence(*key_bags)))
    safe = asn1.sequence(*contents)
    mac = make_mac(safe, store_password, iterations=ITERATIONS, random_bytes=random_bytes)
    return asn1.sequence(asn1.integer(3), _data(safe), mac)


def _data(octets: bytes) -> bytes:
    """Encode a ContentInfo with Data (RFC 5652 section 4)."""
    return asn1.sequence(
        asn1.object_identifier(identifiers.DATA), asn1.element(asn1.context(0), asn1.octet_string(octets))
    )


def _encrypted_data(algorithm: bytes, ciphertext: bytes) -> bytes:
    """Encode a ContentInfo with EncryptedData (RFC 5652 section 8)."""
    encrypted = asn1.sequence(
        asn1.object_identifier(identifiers.DATA),
        algorithm,
        asn1.element(asn1.primitive_context(0), ciphertext),
    )
    encrypted_data = asn1.sequence(asn1.integer(0), encrypted)
    return asn1.sequence(
        asn1.object_identifier(identifiers.ENCRYPTED_DATA), asn1.element(asn1.context(0), encrypted_data)
    )


def _certificate_bag(certificate: x509.Certificate, attributes: bytes = b"") -> bytes:
    der = certificate.public_bytes(Encoding.DER)
    value = asn1.sequence(
        asn1.object_identifier(identifiers.X509_CERTIFICATE),
        asn1.element(asn1.context(0), asn1.octet_string(der)),
    )
    return _bag(identifiers.CERTIFICATE_BAG, value, attributes)


def _bag(kind: bytes, value: bytes, attributes: bytes) -> bytes:
    return asn1.sequence(asn1.object_identifier(kind), asn1.element(asn1.context(0), value), attributes)


def _attributes(alias: str, *, local_key_id: bytes | None = None, is_trusted: bool = False) -> bytes:
    name = asn1.element(asn1.BMP_STRING, alias.encode("utf-16-be"))
    attributes = [_attribute(identifiers.FRIENDLY_NAME, name)]
    if local_key_id is not None:
        attributes.append(_attribute(identifiers.LOCAL_KEY_ID, asn1.octet_string(local_key_id)))
    if is_trusted:
        usage = asn1.object_identifier(identifiers.ANY_KEY_USAGE)
        attributes.append(_attribute(identifiers.TRUSTED_KEY_USAGE, usage))
    return asn1.set_of(*attributes)


def _attribute(kind: bytes, value: bytes) -> bytes:
    return asn1.sequence(asn1.object_identifier(kind), asn1.set_of(value))
