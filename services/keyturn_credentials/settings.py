"""The credentials service's settings: ``KEYTURN_*`` environment variables, read once by the process."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.sealing import KeyRing

Network = IPv4Network | IPv6Network


class CredentialsSettings(BaseSettings):
    """What one process of the credentials service needs to know. Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    database_url: str = "sqlite+aiosqlite:///keyturn.db"
    redis_url: str = "redis://127.0.0.1:6379/0"
    public_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8080")
    """Base of every issuer: ``<public url>/realms/<realm>``."""
    host: str = "127.0.0.1"
    port: int = Field(default=8081, ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    encryption_keys: SecretStr
    """Comma-separated base64url keys of 32 bytes for the database at rest; the first one encrypts."""
    fleet_keys: SecretStr
    """Comma-separated base64url keys of 32 bytes shared with the verifiers; the first one seals."""

    bootstrap_admin_client_id: str = "keyturn-admin"
    bootstrap_admin_client_secret: SecretStr | None = None
    """The first admin of realm ``master``. Without a secret one is made and printed once."""

    jwks_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Private networks in which JWKS URLs of every realm may lie."""
    jwks_ca_file: Path | None = None
    """PEM of private authorities that JWKS URLs' servers may be certified by, beside the system's."""
    jwks_proxy: SecretStr | None = None
    """``http://[user:password@]host:port``: an HTTP proxy through which public JWKS URLs are fetched."""
    jwks_proxy_resolves: bool = False
    """The proxy is given names instead of checked addresses, and is what keeps it out of private networks."""
    trusted_proxies: str = "127.0.0.1"
    """Comma-separated addresses whose ``X-Forwarded-For`` is believed."""

    lease_seconds: float = Field(default=10.0, gt=0)
    lease_margin_seconds: float = Field(default=1.0, gt=0)
    default_wait_seconds: float = Field(default=1.0, ge=0, le=60)
    """How long a change waits for the fleet when its caller does not say; 0 for not at all."""
    database_pool_size: int = Field(default=10, ge=1)
    request_body_limit: int = Field(default=2 * 1024 * 1024, ge=1024)
    rotation_check_seconds: float = Field(default=60.0, gt=0)
    """How often due realm keys, sealed values and old entries of the logs are looked for."""
    event_retention_days: float | None = Field(default=None, ge=1)
    audit_retention_days: float | None = Field(default=None, ge=2)
    """How long the logs are kept; None: for ever. The audit log tells which client was deleted while tokens
    of its may still be good, for a day."""

    @field_validator("jwks_allowed_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="after")
    def _check_retention(self) -> Self:
        kept_for_ever = float("inf")
        if (self.audit_retention_days or kept_for_ever) < (self.event_retention_days or kept_for_ever):
            raise ConfigurationError(
                "KEYTURN_AUDIT_RETENTION_DAYS is not below KEYTURN_EVENT_RETENTION_DAYS:"
                " who made a change is known as long as the change"
            )
        return self

    @model_validator(mode="after")
    def _read_keys(self) -> Self:
        # ConfigurationError is no ValueError: it passes through pydantic as it is, with its one clear line.
        self.encryption_ring()
        self.fleet_ring()
        self.proxy()
        return self

    def proxy(self) -> Proxy | None:
        """The proxy for JWKS URLs. Raises ConfigurationError."""
        if self.jwks_proxy is None:
            return None
        return Proxy.parse(self.jwks_proxy.get_secret_value(), resolves=self.jwks_proxy_resolves)

    @property
    def base_url(self) -> str:
        """The public URL without a slash at its end."""
        return str(self.public_url).rstrip("/")

    def encryption_ring(self) -> KeyRing:
        return KeyRing.from_text(self.encryption_keys.get_secret_value(), purpose="encryption")

    def fleet_ring(self) -> KeyRing:
        return KeyRing.from_text(self.fleet_keys.get_secret_value(), purpose="fleet")
