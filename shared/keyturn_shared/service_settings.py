"""Settings of both services: what listens, where Redis is, and fetching of JWKS URLs."""

from pathlib import Path
from typing import Annotated

from pydantic import AnyHttpUrl, SecretStr, UrlConstraints
from pydantic_settings import SettingsConfigDict

from keyturn_shared.listening_settings import ListeningSettings
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.setting import NetworkList
from keyturn_shared.oauth.settings import ClientCheckSettings
from keyturn_shared.projection import MAX_PUBLIC_URL_LENGTH


class ServiceSettings(ListeningSettings, ClientCheckSettings):
    """Common settings of a process of either service. Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    redis_url: str = "redis://127.0.0.1:6379/0"
    public_url: Annotated[AnyHttpUrl, UrlConstraints(max_length=MAX_PUBLIC_URL_LENGTH)] = AnyHttpUrl(
        "http://127.0.0.1:8080"
    )
    """Base of every issuer: ``<public url>/realms/<realm>``."""

    jwks_allowed_networks: NetworkList = ()
    """Private networks that JWKS URLs of every realm may reach."""
    jwks_ca_file: Path | None = None
    """PEM of private authorities for JWKS URLs' certificates, in addition to the system's."""
    jwks_proxy: SecretStr | None = None
    """``http://[user:password@]host:port``: an HTTP proxy through which public JWKS URLs are fetched."""
    jwks_proxy_resolves: bool = False
    """Send names instead of checked addresses to the proxy, which must then block private networks itself."""

    def proxy(self) -> Proxy | None:
        """Build the proxy for JWKS URLs. Raises ConfigurationError."""
        if self.jwks_proxy is None:
            return None
        return Proxy.parse(self.jwks_proxy.get_secret_value(), resolves=self.jwks_proxy_resolves)

    @property
    def base_url(self) -> str:
        """The public URL without a trailing slash."""
        return str(self.public_url).rstrip("/")
