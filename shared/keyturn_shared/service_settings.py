"""Settings of both services: what listens, where Redis is, and fetching of JWKS URLs."""

import os
import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AnyHttpUrl, SecretStr, UrlConstraints
from pydantic_settings import SettingsConfigDict

from keyturn_shared.clock import SystemClock
from keyturn_shared.key_wrapping_settings import KeyWrappingSettings
from keyturn_shared.listening_settings import ListeningSettings
from keyturn_shared.named_setting import named_setting
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.setting import NetworkList
from keyturn_shared.network.tls import context_for
from keyturn_shared.oauth.settings import ClientCheckSettings
from keyturn_shared.projection import MAX_PUBLIC_URL_LENGTH
from keyturn_shared.redis_client import Endpoint, connect
from keyturn_shared.setting_problems import check_all
from keyturn_shared.tracing.configuration import check_tracing


class ServiceSettings(ListeningSettings, ClientCheckSettings, KeyWrappingSettings):
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

    tracing: bool = False
    """Make traces of changes, and export them as the ``OTEL_*`` variables say."""

    def check_tracing(self) -> None:
        """Check what traces need, if there are any. Raises ConfigurationError."""
        if self.tracing:
            check_tracing(os.environ)

    def proxy(self) -> Proxy | None:
        """Build the proxy for JWKS URLs. Raises ConfigurationError."""
        if self.jwks_proxy is None:
            return None
        with named_setting("KEYTURN_JWKS_PROXY"):
            return Proxy.parse(self.jwks_proxy.get_secret_value(), resolves=self.jwks_proxy_resolves)

    def redis_endpoint(self) -> Endpoint:
        """Parse the URL of Redis, and check that a client could use it. Raises ConfigurationError."""
        with named_setting("KEYTURN_REDIS_URL"):
            connect(self.redis_url)  # which connects at its first use
            return Endpoint.parse(self.redis_url)

    def jwks_tls(self) -> ssl.SSLContext:
        """Make the TLS context for JWKS URLs. Raises ConfigurationError."""
        with named_setting("KEYTURN_JWKS_CA_FILE"):
            return context_for(self.jwks_ca_file)

    def check_files(self) -> None:
        """Read the files that settings name. Raises ConfigurationError with a line for each unusable one."""
        check_all(self.jwks_tls, lambda: self.client_authorities(SystemClock()))

    @property
    def base_url(self) -> str:
        """The public URL without a trailing slash."""
        return str(self.public_url).rstrip("/")
