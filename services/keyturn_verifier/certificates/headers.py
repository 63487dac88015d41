"""Certificates in the headers of a proxy that ends TLS. Pure."""

import base64
import binascii
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final, Literal
from urllib.parse import unquote_to_bytes

from keyturn_verifier.errors import MalformedCertificateError

HeaderForm = Literal["rfc9440", "pem"]

MAX_CHAIN_BYTES: Final = 64 * 1024
_PEM: Final = re.compile(
    rb"\s*-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----\s*"
)


@dataclass(frozen=True, slots=True)
class CertificateHeader:
    """How trusted proxies pass certificates on. ``proxies``: none, and no header is looked at.

    A trusted proxy has to take the header out of what its own callers send (RFC 9440 section 3).
    """

    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    form: HeaderForm = "rfc9440"
    name: bytes = b"client-cert"


def read_byte_sequence(value: str) -> bytes:
    """A ``Client-Cert`` field (RFC 9440 2.2), a byte sequence. Raises MalformedCertificateError."""
    text = value.strip(" ")
    if len(text) < 3 or text[0] != ":" or text[-1] != ":":
        raise MalformedCertificateError("Client-Cert is not a byte sequence")
    return _octets(text[1:-1])


def read_byte_sequences(values: list[str]) -> tuple[bytes, ...]:
    """The ``Client-Cert-Chain`` fields (RFC 9440 2.3): a list of byte sequences over one field or several."""
    text = ",".join(values)
    if len(text) > MAX_CHAIN_BYTES:
        raise MalformedCertificateError("a chain that is too long")
    return tuple(read_byte_sequence(part) for part in text.split(",") if part.strip(" \t"))


def read_escaped_pem(value: str) -> tuple[bytes, ...]:
    """Certificates in PEM, percent-encoded as nginx has them in ``$ssl_client_escaped_cert``; or their base64
    without armour, separated by commas, as Traefik passes them on. The client's own comes first.

    Raises MalformedCertificateError.
    """
    if len(value) > MAX_CHAIN_BYTES:
        raise MalformedCertificateError("a chain that is too long")
    text = unquote_to_bytes(value)
    if b"-----" not in text:
        return tuple(_octets(part.strip().decode("latin-1")) for part in text.split(b","))
    bodies = []
    position = 0
    while position < len(text):
        found = _PEM.match(text, position)
        if found is None:
            raise MalformedCertificateError("not certificates in PEM")
        bodies.append(_octets(b"".join(found[1].split()).decode("ascii")))
        position = found.end()
    return tuple(bodies)


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedCertificateError("a certificate that is not base64") from None
