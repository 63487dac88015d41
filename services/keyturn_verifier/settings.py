"""The verifier's settings: ``KEYTURN_*`` environment variables, read once by the process."""

import secrets
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from keyturn_shared.sealing import KeyRing

Network = IPv4Network | IPv6Network


class VerifierSettings(BaseSettings):
    """What one verifier node or fetcher needs to know. Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    redis_url: str = "redis://127.0.0.1:6379/0"
    public_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8080")
    """Base of every issuer: ``<public url>/realms/<realm>``."""
    host: str = "127.0.0.1"
    port: int = Field(default=8082, ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    fleet_keys: SecretStr
    """Comma-separated base64url keys of 32 bytes shared with the credentials service; the first one seals."""

    node_id: str = Field(
        default_factory=lambda: f"node-{secrets.token_hex(4)}", pattern=r"^[A-Za-z0-9._-]{1,64}$"
    )
    """Name of this node in the fleet view. Each run of it is a member of the fleet by itself."""
    node_url: AnyHttpUrl | None = None
    """Where this node itself can be reached; shown in the fleet view."""
    renewal_seconds: float = Field(default=1.0, gt=0, le=10)
    serve_stale: bool = False
    """Answer from memory without a lease. Revocations may then be late on this node: waits say so."""
    max_staleness: float | None = Field(default=None, gt=0)
    """Refuse once the relay has not looked at the database for so long. None: it may be away for ever."""

    assertion_max_lifetime: int = Field(default=60, ge=1, le=86_400)
    clock_skew: float = Field(default=15.0, ge=0, le=300)

    jwks_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Private networks in which JWKS URLs of every realm may lie."""
    jwks_min_interval: float = Field(default=10.0, gt=0)
    """Least time between two fetches of one JWKS URL for an unknown kid."""
    fetcher_enabled: bool = True
    """Whether this process also takes its part in fetching JWKS URLs for the fleet."""

    cached_clients: int = Field(default=200_000, ge=100)
    request_body_limit: int = Field(default=64 * 1024, ge=1024)
    verify_body_limit: int = Field(default=8 * 1024 * 1024, ge=1024)
    request_seconds: float = Field(default=10.0, gt=0)
    """How long a caller may take to send a request."""
    drain_seconds: int = Field(default=10, ge=1)
    """How long answers under way may take after SIGTERM."""

    @field_validator("jwks_allowed_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="after")
    def _read_keys(self) -> Self:
        # ConfigurationError is no ValueError: it passes through pydantic as it is, with its one clear line.
        self.fleet_ring()
        return self

    @property
    def base_url(self) -> str:
        """The public URL without a slash at its end."""
        return str(self.public_url).rstrip("/")

    def fleet_ring(self) -> KeyRing:
        return KeyRing.from_text(self.fleet_keys.get_secret_value(), purpose="fleet")
