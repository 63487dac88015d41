"""Formats by Keycloak's names, and recognition of other formats."""

from enum import StrEnum
from typing import Final, Self

from keyturn_credentials.keystores.errors import FormatNotSupportedError
from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import KeyStoreError
from keyturn_shared.keystores.magic import JCEKS_MAGIC, JKS_MAGIC


class KeyStoreFormat(StrEnum):
    """Values of ``keystoreFormat`` of an upload and ``format`` of a download, case-sensitive."""

    JKS = "JKS"
    PKCS12 = "PKCS12"
    BCFKS = "BCFKS"
    CERTIFICATE_PEM = "Certificate PEM"
    PUBLIC_KEY_PEM = "Public Key PEM"
    JSON_WEB_KEY_SET = "JSON Web Key Set"

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the format with this name. Raises FormatNotSupportedError."""
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(cls)
            raise FormatNotSupportedError(
                f"unsupported keystore format {name[:40]!r}; supported: {known}"
            ) from None


ARCHIVE_FORMATS: Final = (KeyStoreFormat.JKS, KeyStoreFormat.PKCS12)
"""Formats in which archives are written."""

BCFKS_NOT_SUPPORTED: Final = (
    "BCFKS is not supported: no Python library reads or writes it. keytool with the Bouncy Castle provider"
    " converts: keytool -importkeystore -srcstoretype BCFKS -deststoretype PKCS12"
)

A_PRIVATE_KEY: Final = "a private key"
A_PUBLIC_KEY: Final = "a public key"
A_CERTIFICATE: Final = "an X.509 certificate"
A_JKS_ARCHIVE: Final = "a JKS archive"
A_PKCS12_ARCHIVE: Final = "a PKCS #12 archive"


def appearance(data: bytes) -> str:
    """Describe what a file looks like, for an error: "a PKCS #12 archive". It looks at the first elements
    only."""
    if data.startswith(JKS_MAGIC):
        return A_JKS_ARCHIVE
    if data.startswith(JCEKS_MAGIC):
        return "a JCEKS archive (keytool -importkeystore converts it to PKCS12)"
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        return "JSON"
    if text.startswith(b"-----BEGIN "):
        label = text[11:64].split(b"-----")[0].decode("ascii", "replace")
        return f"PEM of {label!r}"
    if data.startswith(b"\x30"):
        return der_appearance(data)
    return "an unknown format"


def der_appearance(data: bytes) -> str:
    """Describe what DER looks like."""
    try:
        reader = asn1.Reader(asn1.definite(data)).sequence()
        first, content = reader.next()
        second, _ = reader.next()
        inner = asn1.Reader(content).next()[0] if first == asn1.SEQUENCE and content else None
    except KeyStoreError:
        return "a damaged binary file (DER)"
    return _DER_SHAPES.get((first, content if first == asn1.INTEGER else inner, second), "binary (DER)")


_DER_SHAPES: Final[dict[tuple[int, int | bytes | None, int], str]] = {
    # The first element, its content (a number, or the tag of its first element), the second element.
    (asn1.INTEGER, b"\x03", asn1.SEQUENCE): A_PKCS12_ARCHIVE,
    (asn1.INTEGER, b"\x00", asn1.SEQUENCE): A_PRIVATE_KEY,  # RFC 5958, version 0
    (asn1.INTEGER, b"\x01", asn1.SEQUENCE): A_PRIVATE_KEY,  # RFC 5958, version 1
    (asn1.INTEGER, b"\x00", asn1.INTEGER): A_PRIVATE_KEY,  # RFC 8017 appendix A.1.2
    (asn1.INTEGER, b"\x01", asn1.OCTET_STRING): A_PRIVATE_KEY,  # RFC 5915
    (asn1.SEQUENCE, asn1.OBJECT_IDENTIFIER, 0x03): A_PUBLIC_KEY,
    (asn1.SEQUENCE, asn1.OBJECT_IDENTIFIER, asn1.OCTET_STRING): "an encrypted private key",
    (asn1.SEQUENCE, asn1.context(0), asn1.SEQUENCE): A_CERTIFICATE,
    (asn1.SEQUENCE, asn1.INTEGER, asn1.SEQUENCE): A_CERTIFICATE,  # version 1 has no [0]
    (asn1.SEQUENCE, asn1.SEQUENCE, asn1.SEQUENCE): "a BCFKS archive",
    (asn1.OBJECT_IDENTIFIER, None, asn1.context(0)): "a PKCS #7 bundle",
}
