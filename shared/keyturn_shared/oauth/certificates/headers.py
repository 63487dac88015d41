"""Certificates in the headers of a proxy that terminates TLS. Pure."""

import base64
import binascii
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final, Literal
from urllib.parse import unquote_to_bytes

from keyturn_shared.oauth.errors import MalformedCertificateError

HeaderForm = Literal["rfc9440", "pem"]

MAX_CHAIN_BYTES: Final = 64 * 1024
# No octet can be read in two ways, so this takes linear time.
_PEM: Final = re.compile(rb"\s*+-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]++)-----END CERTIFICATE-----\s*+")


@dataclass(frozen=True, slots=True)
class CertificateHeader:
    """The header in which trusted proxies forward certificates. Without ``proxies``, no header is read. A
    trusted proxy must remove the header from what its own callers send (RFC 9440 section 3)."""

    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    form: HeaderForm = "rfc9440"
    name: bytes = b"client-cert"


def read_byte_sequence(value: str) -> bytes:
    """Parse a ``Client-Cert`` field (RFC 9440 2.2), a byte sequence. Raises MalformedCertificateError."""
    text = value.strip(" ")
    if len(text) < 3 or text[0] != ":" or text[-1] != ":":
        raise MalformedCertificateError("Client-Cert is not a byte sequence")
    return _octets(text[1:-1])


def read_byte_sequences(values: list[str]) -> tuple[bytes, ...]:
    """Parse the ``Client-Cert-Chain`` fields (RFC 9440 2.3): a list of byte sequences over one field or
    several."""
    text = ",".join(values)
    if len(text) > MAX_CHAIN_BYTES:
        raise MalformedCertificateError("the chain is too long")
    return tuple(read_byte_sequence(part) for part in text.split(",") if part.strip(" \t"))


def read_escaped_pem(value: str) -> tuple[bytes, ...]:
    """Parse certificates, the client's own first.

    The format is percent-encoded PEM like nginx's ``$ssl_client_escaped_cert``, or base64 without PEM
    headers, separated by commas, like Traefik's. Raises MalformedCertificateError.
    """
    if len(value) > MAX_CHAIN_BYTES:
        raise MalformedCertificateError("the chain is too long")
    text = unquote_to_bytes(value)
    if b"-----" not in text:
        return tuple(_octets(part.strip().decode("latin-1")) for part in text.split(b","))
    bodies = []
    position = 0
    while position < len(text):
        found = _PEM.match(text, position)
        if found is None:
            raise MalformedCertificateError("not PEM certificates")
        bodies.append(_octets(b"".join(found[1].split()).decode("ascii")))
        position = found.end()
    return tuple(bodies)


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedCertificateError("the certificate is not base64") from None
