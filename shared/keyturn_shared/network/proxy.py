"""An HTTP proxy through which public addresses are reached, where there is no other way out."""

import base64
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from keyturn_shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Proxy:
    """Tunnels are asked for with CONNECT (RFC 9110 section 9.3.6).

    ``resolves`` False: names are looked up and checked here, and the tunnel is asked for to the address that
    was checked. True: the proxy is given the name, where this network cannot look names up or the proxy's
    rules are about names; then the proxy is what has to refuse private addresses.
    """

    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)
    resolves: bool = False

    @classmethod
    def parse(cls, url: str, *, resolves: bool = False) -> Self:
        """Read ``http://[user:password@]host:port``. Raises ConfigurationError, which shows no password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ConfigurationError("the proxy's URL cannot be read") from None
        if parts.scheme != "http" or not parts.hostname or port is None or parts.path.strip("/"):
            raise ConfigurationError("a proxy's URL is http://[user:password@]host:port")
        authorization = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            authorization = b"Basic " + base64.b64encode(pair)
        return cls(parts.hostname, port, authorization, resolves)

    def request(self, host: str, port: int) -> bytes:
        """What asks for a tunnel."""
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n".encode()]
        if self.authorization is not None:
            lines.append(b"Proxy-Authorization: " + self.authorization + b"\r\n")
        return b"".join(lines) + b"\r\n"
