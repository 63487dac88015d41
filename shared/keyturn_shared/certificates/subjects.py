"""The one name that identifies a certificate as a client's (RFC 8705 section 2.1.2)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from cryptography import x509

from keyturn_shared.certificates.distinguished_names import name_parts, name_texts, read_distinguished_name
from keyturn_shared.certificates.errors import InvalidNameError
from keyturn_shared.certificates.patterns import Pattern

NameKind = Literal["subject_dn", "subject_pattern", "san_dns", "san_uri", "san_ip", "san_email"]

MAX_MATCHED_CHARACTERS: Final = 512
"""A longer subject matches no pattern."""
_MAX_CHARACTERS: Final = 2048
_LABEL: Final = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class SubjectName:
    """A name to look for. ``wanted``: normalised as its kind requires."""

    kind: NameKind
    wanted: object

    @classmethod
    @lru_cache(maxsize=1024)
    def read(cls, kind: NameKind, text: str) -> Self:
        """Parse a name of this kind. Raises InvalidNameError."""
        return cls(kind, _READERS[kind](text))

    def is_of(self, certificate: x509.Certificate) -> bool:
        """Return whether the certificate has this name. A certificate with unreadable names has none."""
        try:
            if self.kind == "subject_dn":
                return name_parts(certificate.subject) == self.wanted
            if isinstance(self.wanted, Pattern):
                return _matches(self.wanted, certificate.subject)
            return any(
                _read_quietly(self.kind, name) == self.wanted for name in _names(certificate, self.kind)
            )
        except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            return False


def _matches(pattern: Pattern, subject: x509.Name) -> bool:
    texts = name_texts(subject)
    return len(texts[1]) <= MAX_MATCHED_CHARACTERS and any(pattern.matches(text) for text in texts)


def _names(certificate: x509.Certificate, kind: NameKind) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    match kind:
        case "san_dns":
            return names.get_values_for_type(x509.DNSName)
        case "san_uri":
            return names.get_values_for_type(x509.UniformResourceIdentifier)
        case "san_email":
            return names.get_values_for_type(x509.RFC822Name)
        case _:
            return [str(address) for address in names.get_values_for_type(x509.IPAddress)]


def _read_quietly(kind: NameKind, text: str) -> object:
    try:
        return _READERS[kind](text)
    except InvalidNameError:
        return None


def _read_host(text: str) -> str:
    host = text.strip().lower()
    if len(host) > 253 or not _HOST.fullmatch(
        host
    ):  # a wildcard stands for many names, so it identifies none
        raise InvalidNameError("not an ASCII host name")
    return host


def _read_uri(text: str) -> str:
    uri = text.strip()
    try:
        parts = urlsplit(uri)
    except ValueError:
        parts = None
    if parts is None or not parts.scheme or not uri.isascii() or not uri.isprintable() or " " in uri:
        raise InvalidNameError("not an absolute URI")
    if len(uri) > _MAX_CHARACTERS:
        raise InvalidNameError(f"a URI must not exceed {_MAX_CHARACTERS} characters")
    return uri


def _read_address(text: str) -> object:
    try:
        return ip_address(text.strip())
    except ValueError:
        raise InvalidNameError("not an IP address") from None


def _read_email(text: str) -> str:
    local, separator, host = text.strip().rpartition("@")
    if not separator or not local or len(local) > 64 or not local.isprintable() or " " in local:
        raise InvalidNameError("not an e-mail address")
    return f"{local}@{_read_host(host)}"  # only the host is case-insensitive (RFC 5280 7.5)


_READERS: Final[dict[NameKind, Callable[[str], object]]] = {
    "subject_dn": read_distinguished_name,
    "subject_pattern": Pattern.read,
    "san_dns": _read_host,
    "san_uri": _read_uri,
    "san_ip": _read_address,
    "san_email": _read_email,
}
