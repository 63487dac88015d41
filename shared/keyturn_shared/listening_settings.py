"""Settings of what listens: its address, its log, and the limits on its connections."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from keyturn_shared.http_server.connections import ConnectionLimits
from keyturn_shared.network.known_networks import membership
from keyturn_shared.network.setting import NetworkList
from keyturn_shared.network.trusted_proxies import LOOPBACK_NETWORKS


class ListeningSettings(BaseSettings):
    """Settings of a process that callers connect to."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

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
