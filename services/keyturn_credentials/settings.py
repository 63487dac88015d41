"""The credentials service's settings: ``KEYTURN_*`` environment variables, read once by the process."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from keyturn_credentials.domain.secrets import check_chosen
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.oidc.configuration import OidcConfiguration
from keyturn_credentials.oidc_settings import OidcSettings
from keyturn_credentials.store.database_url import check_database_url
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.fleet.partitions import MAX_PARTITIONS
from keyturn_shared.named_setting import named_setting
from keyturn_shared.network.receiver import Receiver, check_receiver
from keyturn_shared.network.setting import NetworkList
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing, keys_from_text
from keyturn_shared.service_settings import ServiceSettings
from keyturn_shared.setting_problems import check_all
from keyturn_shared.signed_log.keys import AUDIT, FETCHER, LogSigningKeys, LogVerificationKeys
from keyturn_shared.standard_webhooks import WebhookKeys


class CredentialsSettings(ServiceSettings, OidcSettings):
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

    partitions: int = Field(default=1, ge=1, le=MAX_PARTITIONS)
    """Number of cluster slots over which used assertions are spread; it may be changed while nodes work. With
    more than one, all nodes must be of a release that knows partitions."""
    lease_seconds: float = Field(default=10.0, gt=0)
    lease_margin_seconds: float = Field(default=1.0, gt=0)
    default_wait_seconds: float = Field(default=1.0, ge=0, le=60)
    """Seconds a change waits for the fleet if its caller does not say; 0 for not at all."""
    database_pool_size: int = Field(default=10, ge=1)
    request_body_limit: int = Field(default=2 * 1024 * 1024, ge=1024)
    request_seconds: float = Field(default=10.0, gt=0)
    """Time a caller has to send the head of a request, and to read the response."""
    request_limit: int = Field(default=64, ge=4)
    """Maximum number of requests at work; others wait for at most a second, then get a 503."""
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

    notices_check_seconds: float = Field(default=60.0, gt=0)
    """Pause between two rounds through everything that notices are about."""
    notices_webhook_url: SecretStr | None = None
    """Receiver of a webhook for each notice that opens or closes. By default none is sent."""
    notices_webhook_secret: SecretStr | None = None
    """Its signing secret, ``whsec_…``; several, separated by spaces, while it is rotated."""
    notices_allowed_networks: NetworkList = ()
    """Private networks that the receiver may be in; plain http is accepted only there."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        # ConfigurationError is not a ValueError, so pydantic passes it through with its own lines.
        check_all(
            self._check_retention,
            self.encryption_ring,
            self.fleet_ring,
            self.log_keys,
            self.named_fetcher_keys,
            self.redis_endpoint,
            self._check_database_url,
            self._check_first_secret,
            self.proxy,
            self.oidc,
            self._check_receiver,
            self._check_receiver_secret,
            self.check_tracing,
        )
        return self

    def check_files(self) -> None:
        """Read the files that settings name. Raises ConfigurationError with a line for each unusable one."""
        check_all(super().check_files, self.oidc_tls)

    def oidc(self) -> OidcConfiguration | None:
        """Return the identity provider for the console, None without one. Raises ConfigurationError."""
        return self.read_oidc(self.base_url)

    def _check_retention(self) -> None:
        kept_for_ever = float("inf")
        if (self.audit_retention_days or kept_for_ever) < (self.event_retention_days or kept_for_ever):
            raise ConfigurationError(
                "KEYTURN_AUDIT_RETENTION_DAYS must not be shorter than KEYTURN_EVENT_RETENTION_DAYS:"
                " the author of a change must be known for as long as the change itself"
            )

    def _check_database_url(self) -> None:
        with named_setting("KEYTURN_DATABASE_URL"):
            check_database_url(self.database_url)

    def _check_first_secret(self) -> None:
        given = self.bootstrap_admin_client_secret
        if given is None or not given.get_secret_value():
            return
        try:
            check_chosen(given.get_secret_value())
        except InvalidRequestError as error:
            raise ConfigurationError(f"KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET: {error.detail}") from error

    def _check_receiver(self) -> None:
        if self.notices_webhook_url is not None:
            with named_setting("KEYTURN_NOTICES_WEBHOOK_URL"):
                check_receiver(self.notices_webhook_url.get_secret_value(), self.notices_allowed_networks)

    def _check_receiver_secret(self) -> None:
        if self.notices_webhook_secret is not None:
            self._receiver_keys(self.notices_webhook_secret)
            if self.notices_webhook_url is None:
                raise ConfigurationError(
                    "KEYTURN_NOTICES_WEBHOOK_URL: required with KEYTURN_NOTICES_WEBHOOK_SECRET"
                )
        elif self.notices_webhook_url is not None:
            raise ConfigurationError(
                "KEYTURN_NOTICES_WEBHOOK_SECRET: required with KEYTURN_NOTICES_WEBHOOK_URL"
            )

    def _receiver_keys(self, secret: SecretStr) -> WebhookKeys:
        with named_setting("KEYTURN_NOTICES_WEBHOOK_SECRET"):
            return WebhookKeys.from_text(secret.get_secret_value())

    def receiver(self) -> Receiver | None:
        """Return the receiver of webhooks about notices, if there is one. Raises ConfigurationError."""
        if self.notices_webhook_url is None or self.notices_webhook_secret is None:
            return None
        return Receiver(
            self.notices_webhook_url.get_secret_value(),
            self._receiver_keys(self.notices_webhook_secret),
            self.notices_allowed_networks,
        )

    def encryption_ring(self) -> KeyRing:
        with named_setting("KEYTURN_ENCRYPTION_KEYS"):
            return KeyRing.from_text(self.encryption_keys.get_secret_value(), purpose="encryption")

    def log_keys(self) -> LogSigningKeys:
        if self.log_signing_keys is None:
            self.fleet_ring()
            return LogSigningKeys.derived_from(self.fleet_keys.get_secret_value())
        with named_setting("KEYTURN_LOG_SIGNING_KEYS"):
            return LogSigningKeys.from_text(self.log_signing_keys.get_secret_value())

    def audit_keys(self) -> LogSigningKeys:
        """Return the keys that sign statements about the audit log, derived from the encryption keys: no node
        has them, and the database does not."""
        with named_setting("KEYTURN_ENCRYPTION_KEYS"):
            keys = keys_from_text(self.encryption_keys.get_secret_value(), "encryption")
        return LogSigningKeys.expanded_from(keys, AUDIT)

    def named_fetcher_keys(self) -> tuple[str, ...]:
        """Return the fetchers' public keys as realms name them. Raises ConfigurationError."""
        if self.fetcher_verification_keys is None:
            self.fleet_ring()
            fleet_keys = self.fleet_keys.get_secret_value()
            return tuple(LogSigningKeys.derived_from(fleet_keys, FETCHER).public_keys.split(","))
        with named_setting("KEYTURN_FETCHER_VERIFICATION_KEYS"):
            LogVerificationKeys.from_text(self.fetcher_verification_keys)
        return tuple(part.strip() for part in self.fetcher_verification_keys.split(",") if part.strip())

    def fleet_ring(self) -> FleetRing:
        with named_setting("KEYTURN_FLEET_KEYS"):
            return FleetRing.read(self.fleet_keys.get_secret_value(), by_realm=self.realm_seals)
