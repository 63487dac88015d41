"""An HTTP proxy for reaching public addresses when there is no direct route."""

import base64
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from keyturn_shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that opens tunnels with CONNECT (RFC 9110 section 9.3.6).

    ``resolves`` False: names are resolved and checked here, and the proxy gets the checked address. True: the
    proxy gets the name, because this network cannot resolve names or the proxy's rules use names; then the
    proxy must refuse private addresses.
    """

    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)
    resolves: bool = False

    @classmethod
    def parse(cls, url: str, *, resolves: bool = False) -> Self:
        """Parse ``http://[user:password@]host:port``. Raises ConfigurationError, which shows no password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ConfigurationError("the proxy's URL cannot be read") from None
        if parts.scheme != "http" or not parts.hostname or port is None or parts.path.strip("/"):
            raise ConfigurationError("a proxy's URL must be http://[user:password@]host:port")
        authorization = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            authorization = b"Basic " + base64.b64encode(pair)
        return cls(parts.hostname, port, authorization, resolves)
