"""The credentials service's settings: ``KEYTURN_*`` environment variables, read once by the process."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.named_setting import named_setting
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing
from keyturn_shared.service_settings import ServiceSettings
from keyturn_shared.signed_log.keys import FETCHER, LogSigningKeys, LogVerificationKeys


class CredentialsSettings(ServiceSettings):
    """Settings of one process of the credentials service. Times are seconds, sizes bytes."""

    database_url: str = "sqlite+aiosqlite:///keyturn.db"
    port: int = Field(default=8081, ge=0, le=65535)

    encryption_keys: SecretStr
    """Comma-separated base64url keys of 32 bytes for the database at rest; the first one encrypts."""
    fleet_keys: SecretStr
    """Comma-separated base64url keys of 32 bytes shared with the verifiers; the first one encrypts."""

    realm_seals: bool = False
    """Encrypt and digest data for the nodes under keys of each realm, derived from the fleet keys. Nodes of
    releases without realm keys cannot read it; nodes with the fleet keys can."""

    log_signing_keys: SecretStr | None = None
    """Comma-separated base64url Ed25519 seeds of 32 bytes; the first one signs events and projections. By
    default they are derived from the fleet keys, which every node has."""

    fetcher_verification_keys: str | None = None
    """Comma-separated base64url Ed25519 public keys of the fetchers, if they have their own
    (``KEYTURN_FETCHER_KEYS``). By default they are derived from the fleet keys."""

    bootstrap_admin_client_id: str = "keyturn-admin"
    bootstrap_admin_client_secret: SecretStr | None = None
    """The first admin of realm ``master``. Without a secret, one is generated and printed once."""

    lease_seconds: float = Field(default=10.0, gt=0)
    lease_margin_seconds: float = Field(default=1.0, gt=0)
    default_wait_seconds: float = Field(default=1.0, ge=0, le=60)
    """Seconds a change waits for the fleet if its caller does not say; 0 for not at all."""
    database_pool_size: int = Field(default=10, ge=1)
    request_body_limit: int = Field(default=2 * 1024 * 1024, ge=1024)
    request_seconds: float = Field(default=10.0, gt=0)
    """Time a caller has to send the head of a request, and to read the response."""
    stream_limit: int = Field(default=400, ge=1)
    """Maximum number of event streams of all callers; others get a 503."""
    stream_limit_client: int = Field(default=20, ge=1)
    """Maximum number of event streams of one client; further ones get a 429."""
    rotation_check_seconds: float = Field(default=60.0, gt=0)
    """Interval of checks for due realm keys, values under former keys and old log entries."""
    event_retention_days: float | None = Field(default=None, ge=1)
    audit_retention_days: float | None = Field(default=None, ge=2)
    """Retention of the logs in days; None: forever. The audit log lasts at least 2 days because it names
    deleted clients whose tokens may still be valid."""

    @model_validator(mode="after")
    def _check_retention(self) -> Self:
        kept_for_ever = float("inf")
        if (self.audit_retention_days or kept_for_ever) < (self.event_retention_days or kept_for_ever):
            raise ConfigurationError(
                "KEYTURN_AUDIT_RETENTION_DAYS must not be shorter than KEYTURN_EVENT_RETENTION_DAYS:"
                " the author of a change must be known for as long as the change itself"
            )
        return self

    @model_validator(mode="after")
    def _read_keys(self) -> Self:
        # ConfigurationError is not a ValueError, so pydantic passes it through with its one clear line.
        self.encryption_ring()
        self.fleet_ring()
        self.log_keys()
        self.named_fetcher_keys()
        self.proxy()
        return self

    def encryption_ring(self) -> KeyRing:
        with named_setting("KEYTURN_ENCRYPTION_KEYS"):
            return KeyRing.from_text(self.encryption_keys.get_secret_value(), purpose="encryption")

    def log_keys(self) -> LogSigningKeys:
        if self.log_signing_keys is None:
            return LogSigningKeys.derived_from(self.fleet_keys.get_secret_value())
        with named_setting("KEYTURN_LOG_SIGNING_KEYS"):
            return LogSigningKeys.from_text(self.log_signing_keys.get_secret_value())

    def named_fetcher_keys(self) -> tuple[str, ...]:
        """Return the fetchers' public keys as realms name them. Raises ConfigurationError."""
        if self.fetcher_verification_keys is None:
            fleet_keys = self.fleet_keys.get_secret_value()
            return tuple(LogSigningKeys.derived_from(fleet_keys, FETCHER).public_keys.split(","))
        with named_setting("KEYTURN_FETCHER_VERIFICATION_KEYS"):
            LogVerificationKeys.from_text(self.fetcher_verification_keys)
        return tuple(part.strip() for part in self.fetcher_verification_keys.split(",") if part.strip())

    def fleet_ring(self) -> FleetRing:
        with named_setting("KEYTURN_FLEET_KEYS"):
            return FleetRing.read(self.fleet_keys.get_secret_value(), by_realm=self.realm_seals)
