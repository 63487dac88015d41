"""Parses a URL chosen by a stranger. Pure: nothing is resolved here."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

import idna

from keyturn_shared.network.refusal import FetchRefused, Reason

MAX_URL_CHARACTERS: Final = 2048
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_FIRST_UNPRIVILEGED_PORT: Final = 1024
_PRINTABLE: Final = re.compile(r"[!-~]+")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER_LIKE: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)")


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed URL. ``host``: a lower-case ASCII name, or an address in canonical form without brackets.
    ``address``: set when the host is an address. ``path``: with the query."""

    scheme: str
    host: str
    port: int
    path: str
    address: IPv4Address | IPv6Address | None = None

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_target(url: str) -> Target:
    """Parse an absolute http or https URL strictly. Raises FetchRefused.

    Forms that different readers take for different hosts are refused: user information, backslashes, spaces,
    control characters, percent-encoded hosts, and addresses not in canonical form (decimal, octal …).
    """
    if not url or len(url) > MAX_URL_CHARACTERS:
        raise FetchRefused(Reason.URL_INVALID, f"a URL must be 1 to {MAX_URL_CHARACTERS} characters long")
    url = _to_ascii(url)
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise FetchRefused(Reason.URL_INVALID, "the URL has a space, a backslash or a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchRefused(Reason.URL_INVALID, f"the URL cannot be read: {error}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise FetchRefused(Reason.SCHEME_NOT_ALLOWED, f"the scheme {parts.scheme!r} is not https or http")
    if not url[len(parts.scheme) :].startswith("://") or "@" in parts.netloc:
        raise FetchRefused(Reason.URL_INVALID, "the URL has user information, or no host")
    if "#" in url:
        raise FetchRefused(Reason.URL_INVALID, "the URL has a fragment")
    if port is None:
        if parts.netloc.endswith(":"):
            raise FetchRefused(Reason.URL_INVALID, "the URL has an empty port")
        port = _DEFAULT_PORTS[parts.scheme]
    if port not in _DEFAULT_PORTS.values() and port < _FIRST_UNPRIVILEGED_PORT:
        raise FetchRefused(Reason.PORT_NOT_ALLOWED, f"port {port} belongs to another service")
    host, address = _read_host(parts.hostname or "", bracketed=parts.netloc.startswith("["))
    path = parts.path or "/"
    return Target(parts.scheme, host, port, f"{path}?{parts.query}" if parts.query else path, address)


def _to_ascii(url: str) -> str:
    """Return the URL with an internationalised host in DNS form (RFC 5891)."""
    if url.isascii():
        return url
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        raise FetchRefused(Reason.URL_INVALID, "the URL cannot be read") from None
    if not (parts.path + parts.query).isascii() or "@" in parts.netloc:
        raise FetchRefused(Reason.URL_INVALID, "only the host of a URL may contain non-ASCII characters")
    try:
        name = idna.encode(host, uts46=False).decode("ascii")
    except idna.IDNAError as error:
        raise FetchRefused(Reason.HOST_NOT_ALLOWED, f"the host is not a valid name: {error}") from None
    return parts._replace(netloc=name if port is None else f"{name}:{port}").geturl()


def _read_host(host: str, *, bracketed: bool) -> tuple[str, IPv4Address | IPv6Address | None]:
    if bracketed:
        if "%" in host:
            raise FetchRefused(
                Reason.HOST_NOT_ALLOWED, "an address with a zone refers to another machine's network"
            )
        try:
            address = IPv6Address(host)
        except AddressValueError:
            raise FetchRefused(Reason.HOST_NOT_ALLOWED, "the host is not an IPv6 address") from None
        return address.compressed, address
    if _NUMBER_LIKE.fullmatch(host.rstrip(".").rpartition(".")[2]):
        # Some readers take a name whose last label is a number for an address.
        try:
            return host, IPv4Address(host)
        except AddressValueError:
            raise FetchRefused(Reason.HOST_NOT_ALLOWED, "the host is an address in an unusual form") from None
    name = host.removesuffix(".")
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise FetchRefused(Reason.HOST_NOT_ALLOWED, "the host is not a valid name")
    return name, None
