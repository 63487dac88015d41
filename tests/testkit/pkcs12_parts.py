"""PKCS #12 files built part by part, each with one fault."""

import hashlib
import hmac

from cryptography.hazmat.primitives.serialization import Encoding

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.pkcs12 import identifiers
from keyturn_shared.secret import Secret
from tests.testkit.key_material import STORE, certificate

NULL = asn1.element(asn1.NULL, b"")
DER = certificate().public_bytes(Encoding.DER)


def algorithm(identifier: bytes, parameters: bytes = NULL) -> bytes:
    return asn1.sequence(asn1.object_identifier(identifier), parameters)


def data(octets: bytes) -> bytes:
    """Encode ContentInfo with Data."""
    content = asn1.element(asn1.context(0), asn1.octet_string(octets))
    return asn1.sequence(asn1.object_identifier(identifiers.DATA), content)


def encrypted_data(encryption: bytes, ciphertext: bytes, *, version: int = 0) -> bytes:
    """Encode ContentInfo with EncryptedData."""
    encrypted = asn1.sequence(
        asn1.object_identifier(identifiers.DATA),
        encryption,
        asn1.element(asn1.primitive_context(0), ciphertext),
    )
    content = asn1.element(asn1.context(0), asn1.sequence(asn1.integer(version), encrypted))
    return asn1.sequence(asn1.object_identifier(identifiers.ENCRYPTED_DATA), content)


def bag(kind: bytes, value: bytes, *attributes: bytes) -> bytes:
    return asn1.sequence(
        asn1.object_identifier(kind), asn1.element(asn1.context(0), value), asn1.set_of(*attributes)
    )


def certificate_bag(*attributes: bytes, der: bytes = DER) -> bytes:
    value = asn1.element(asn1.context(0), asn1.octet_string(der))
    cert = asn1.sequence(asn1.object_identifier(identifiers.X509_CERTIFICATE), value)
    return bag(identifiers.CERTIFICATE_BAG, cert, *attributes)


def name(alias: str) -> bytes:
    """Encode the attribute friendlyName."""
    text = asn1.element(asn1.BMP_STRING, alias.encode("utf-16-be"))
    return asn1.sequence(asn1.object_identifier(identifiers.FRIENDLY_NAME), asn1.set_of(text))


def key_id(octets: bytes) -> bytes:
    """Encode the attribute localKeyID."""
    value = asn1.set_of(asn1.octet_string(octets))
    return asn1.sequence(asn1.object_identifier(identifiers.LOCAL_KEY_ID), value)


def trusted() -> bytes:
    """Encode Oracle's attribute for a certificate that is an entry."""
    usage = asn1.set_of(asn1.object_identifier(identifiers.ANY_KEY_USAGE))
    return asn1.sequence(asn1.object_identifier(identifiers.TRUSTED_KEY_USAGE), usage)


def pfx(*contents: bytes, mac: bytes = b"", version: int = 3) -> bytes:
    """Build a file of these ContentInfos. Without a MAC, which is allowed, its content can be wrong at
    will."""
    return asn1.sequence(asn1.integer(version), data(asn1.sequence(*contents)), mac)


def safe(*bags: bytes) -> bytes:
    """Build a file of these bags, neither encrypted nor authenticated."""
    return pfx(data(asn1.sequence(*bags)))


def pbkdf2(iterations: int = 1, *, salt: bytes = b"salt", length: int | None = None) -> bytes:
    """Encode the AlgorithmIdentifier of PBKDF2 over HMAC-SHA-256."""
    key_length = b"" if length is None else asn1.integer(length)
    parameters = asn1.sequence(
        asn1.octet_string(salt), asn1.integer(iterations), key_length, algorithm(identifiers.HMAC_SHA256)
    )
    return algorithm(identifiers.PBKDF2, parameters)


def pbes2(kdf: bytes, cipher: bytes = identifiers.AES_256_CBC, vector: bytes = bytes(16)) -> bytes:
    scheme = algorithm(cipher, asn1.octet_string(vector))
    return algorithm(identifiers.PBES2, asn1.sequence(kdf, scheme))


def pbmac1(content: bytes, *, length: int | None = 32, password: Secret = STORE) -> bytes:
    """Encode MacData by RFC 9579."""
    key = hashlib.pbkdf2_hmac("sha256", password.reveal().encode(), b"salt", 2048, length or 32)
    kdf = pbkdf2(2048, length=length)
    identifier = algorithm(identifiers.PBMAC1, asn1.sequence(kdf, algorithm(identifiers.HMAC_SHA256)))
    digest = asn1.octet_string(hmac.digest(key, content, "sha256"))
    return asn1.sequence(asn1.sequence(identifier, digest), asn1.octet_string(b"unused"), asn1.integer(2))


def as_ber(der: bytes) -> bytes:
    """Re-encode with indefinite lengths and octet strings in pieces, like Bouncy Castle."""
    reader, out = asn1.Reader(der), bytearray()
    while not reader.at_end:
        tag, content = reader.next()
        if tag == asn1.OCTET_STRING:
            pieces = [asn1.octet_string(content[i : i + 100]) for i in range(0, len(content), 100)]
            out += b"\x24\x80" + b"".join(pieces) + b"\0\0"
        elif tag & 0x20:
            out += bytes([tag, 0x80]) + as_ber(content) + b"\0\0"
        else:
            out += asn1.element(tag, content)
    return bytes(out)
