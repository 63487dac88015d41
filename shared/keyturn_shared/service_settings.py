"""Settings of both services: addresses, trusted proxies, connection limits and fetching of JWKS URLs."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, SecretStr, UrlConstraints
from pydantic_settings import SettingsConfigDict

from keyturn_shared.http_server.connections import ConnectionLimits
from keyturn_shared.network.known_networks import membership
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.setting import NetworkList
from keyturn_shared.network.trusted_proxies import LOOPBACK_NETWORKS
from keyturn_shared.oauth.settings import ClientCheckSettings
from keyturn_shared.projection import MAX_PUBLIC_URL_LENGTH


class ServiceSettings(ClientCheckSettings):
    """Common settings of a process of either service. Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    redis_url: str = "redis://127.0.0.1:6379/0"
    public_url: Annotated[AnyHttpUrl, UrlConstraints(max_length=MAX_PUBLIC_URL_LENGTH)] = AnyHttpUrl(
        "http://127.0.0.1:8080"
    )
    """Base of every issuer: ``<public url>/realms/<realm>``."""
    host: str = "127.0.0.1"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    jwks_allowed_networks: NetworkList = ()
    """Private networks that JWKS URLs of every realm may reach."""
    jwks_ca_file: Path | None = None
    """PEM of private authorities for JWKS URLs' certificates, in addition to the system's."""
    jwks_proxy: SecretStr | None = None
    """``http://[user:password@]host:port``: an HTTP proxy through which public JWKS URLs are fetched."""
    jwks_proxy_resolves: bool = False
    """Send names instead of checked addresses to the proxy, which must then block private networks itself."""

    trusted_proxies: NetworkList = LOOPBACK_NETWORKS
    """Networks of the proxies whose ``X-Forwarded-*`` headers are trusted."""
    connection_limit: int = Field(default=4096, ge=1)
    """Maximum number of connections. One more replaces an idle one, or gets a 503 at once."""
    connections_per_address: int = Field(default=1024, ge=1)
    """Maximum number of connections from one address (IPv6: a /64 network), trusted proxies excepted."""

    def connection_limits(self) -> ConnectionLimits:
        """Limits of connections. A trusted proxy connects on behalf of many callers, so it is exempt."""
        return ConnectionLimits(
            self.connection_limit, self.connections_per_address, membership(self.trusted_proxies)
        )

    def proxy(self) -> Proxy | None:
        """Build the proxy for JWKS URLs. Raises ConfigurationError."""
        if self.jwks_proxy is None:
            return None
        return Proxy.parse(self.jwks_proxy.get_secret_value(), resolves=self.jwks_proxy_resolves)

    @property
    def base_url(self) -> str:
        """The public URL without a trailing slash."""
        return str(self.public_url).rstrip("/")
