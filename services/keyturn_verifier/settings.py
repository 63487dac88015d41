"""The verifier's settings: ``KEYTURN_*`` environment variables, read once by the process."""

import ssl
from dataclasses import replace
from pathlib import Path
from typing import Self

from pydantic import AnyHttpUrl, Field, FilePath, SecretStr, model_validator

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.named_setting import named_setting
from keyturn_shared.network.tls import context_for
from keyturn_shared.oauth.tokens.discovery import CertificateCapabilities
from keyturn_shared.realm_rings import FleetRing, LimitedRings, RealmRings
from keyturn_shared.service_settings import ServiceSettings
from keyturn_shared.setting_problems import check_all
from keyturn_shared.signed_log.keys import FETCHER, LogSigningKeys, LogVerificationKeys
from keyturn_shared.this_machine import is_this_machine
from keyturn_verifier.process_settings import ProcessSettings


class VerifierSettings(ProcessSettings, ServiceSettings):
    """Settings of one verifier node or fetcher. Times are seconds, sizes bytes."""

    fleet_keys: SecretStr | None = None
    """Comma-separated base64url keys of 32 bytes shared with the credentials service; the first one encrypts.
    A node needs them, or realm keys; a resource server does not."""
    realm_keys: SecretStr | None = None
    """Output of ``keyturn realm-keys``, in place of the fleet keys: this node serves these realms only and
    can decrypt nothing of others."""

    log_verification_keys: str | None = None
    """Comma-separated base64url Ed25519 public keys of 32 bytes; only what one of them signed is trusted. By
    default they are derived from the fleet keys, as the credentials service derives its own."""

    fetcher_keys: SecretStr | None = None
    """Comma-separated base64url Ed25519 seeds of 32 bytes that sign fetched key sets; the first one signs. By
    default they are derived from the fleet keys."""

    node_url: AnyHttpUrl | None = None
    """URL of this node itself; shown in the fleet view."""
    credentials_url: AnyHttpUrl | None = None
    """URL of the credentials service itself, which receives administrators' token requests."""
    credentials_ca_file: Path | None = None
    """PEM of private authorities for its certificate, in addition to the system's."""
    renewal_seconds: float = Field(default=1.0, gt=0, le=10)
    serve_stale: bool = False
    """Answer from memory without a lease. Revocations may then reach this node late, and waits report
    that."""
    max_lease_seconds: float = Field(default=300.0, gt=0)
    """Longest lease that this node takes. The credentials service sets the term, but Redis hands it out, and
    whoever can write there can change it."""
    max_staleness: float | None = Field(default=None, gt=0)
    """Refuse once the relay has not checked the database for this long. None: no limit."""

    tls_certificate_path: FilePath | None = None
    """Certificate chain in PEM with which this node serves TLS itself. None: plain HTTP."""
    tls_key_path: FilePath | None = None

    jwks_min_interval: float = Field(default=10.0, gt=0)
    """Minimum time between two fetches of one JWKS URL for an unknown kid."""
    jwks_new_key_seconds: float = Field(default=12.0, gt=0)
    """Time that a request with an unknown ``kid`` waits for the next allowed fetch."""
    fetcher_enabled: bool = True
    """Let this process take part in fetching JWKS URLs for the fleet."""

    dpop_nonces: bool = False
    """Require a server nonce in DPoP proofs at the token endpoint."""

    shadow_url: AnyHttpUrl | None = None
    """Base URL of a Keycloak that is asked about a share of the introspections too. None: no shadow mode."""
    shadow_share: float = Field(default=0.01, ge=0, le=1)
    """Share of introspections that it is asked about."""
    shadow_client_id: str | None = None
    """A client of each realm there that may introspect."""
    shadow_client_secret: SecretStr | None = None
    shadow_ca_file: Path | None = None
    """PEM of private authorities for its certificate, in addition to the system's."""
    shadow_allow_http: bool = False
    """Permission to send tokens and the secret over http to another machine."""

    cached_clients: int = Field(default=200_000, ge=100)
    cached_tokens: int = Field(default=20_000, ge=0)
    """Verified access tokens in memory, each good only while no event has changed its client or realm. 0:
    every token is verified each time."""
    request_body_limit: int = Field(default=64 * 1024, ge=1024)
    verify_body_limit: int = Field(default=8 * 1024 * 1024, ge=1024)
    request_seconds: float = Field(default=10.0, gt=0)
    """Time a caller has to send a request, and to read the response."""
    handshake_seconds: float = Field(default=5.0, gt=0)
    """Time a caller has to begin and complete the TLS handshake."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        # ConfigurationError is not a ValueError, so pydantic passes it through with its own lines.
        check_all(
            self._pair_tls_files,
            self._refuse_two_kinds_of_keys,
            self._check_shadow,
            self._require_keys,
            self.key_set_seal,
            self.redis_endpoint,
            self.proxy,
            self.check_tracing,
        )
        return self

    def check_files(self) -> None:
        """Read the files that settings name. Raises ConfigurationError with a line for each unusable one."""
        check_all(super().check_files, self.server_tls, self.credentials_tls, self.shadow_tls)

    def _pair_tls_files(self) -> None:
        if (self.tls_certificate_path is None) != (self.tls_key_path is None):
            raise ConfigurationError(
                "KEYTURN_TLS_CERTIFICATE_PATH and KEYTURN_TLS_KEY_PATH must be set together"
            )

    def _refuse_two_kinds_of_keys(self) -> None:
        if self.realm_keys is not None and self.fleet_keys is not None:
            raise ConfigurationError(
                "KEYTURN_REALM_KEYS and KEYTURN_FLEET_KEYS are both set: with the fleet keys a node can"
                " decrypt the data of every realm"
            )

    def _check_shadow(self) -> None:
        if self.shadow_url is not None and not (self.shadow_client_id and self.shadow_client_secret):
            raise ConfigurationError(
                "KEYTURN_SHADOW_URL needs KEYTURN_SHADOW_CLIENT_ID and KEYTURN_SHADOW_CLIENT_SECRET"
            )
        if self.shadow_url is not None and self._shows_tokens_to_the_network(self.shadow_url):
            raise ConfigurationError(
                "KEYTURN_SHADOW_URL would send tokens and a secret in clear text: use https, or set"
                " KEYTURN_SHADOW_ALLOW_HTTP"
            )

    def _shows_tokens_to_the_network(self, url: AnyHttpUrl) -> bool:
        return url.scheme == "http" and not self.shadow_allow_http and not is_this_machine(url.host or "")

    def certificate_capabilities(self) -> CertificateCapabilities:
        """Return the endpoints' capabilities with client certificates, as configured."""
        capabilities = super().certificate_capabilities()
        by_tls = self.tls_certificate_path is not None and capabilities.chains
        return replace(capabilities, shown=capabilities.shown or by_tls)

    def server_tls(self) -> ssl.SSLContext | None:
        """Build the TLS context of this node, if it serves TLS itself. Clients are asked for a certificate,
        which they may omit. Raises ConfigurationError."""
        if self.tls_certificate_path is None or self.tls_key_path is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.tls_certificate_path, self.tls_key_path)
        except (ssl.SSLError, OSError) as error:
            raise ConfigurationError(
                "KEYTURN_TLS_CERTIFICATE_PATH and KEYTURN_TLS_KEY_PATH cannot be used:"
                f" {error.strerror or error}"
            ) from None
        if self.client_authorities_path is not None:
            context.load_verify_locations(self.client_authorities_path)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def credentials_tls(self) -> ssl.SSLContext:
        """Make the TLS context for the credentials service. Without https no certificate is checked, so the
        system's CA bundle, which takes 50 ms to load, is not read. Raises ConfigurationError."""
        url, ca_file = self.credentials_base_url, self.credentials_ca_file
        if ca_file is None and (url is None or url.startswith("http:")):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with named_setting("KEYTURN_CREDENTIALS_CA_FILE"):
            return context_for(ca_file)

    def shadow_tls(self) -> ssl.SSLContext:
        """Make the TLS context for the shadowed server. Raises ConfigurationError."""
        if self.shadow_url is None and self.shadow_ca_file is None:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with named_setting("KEYTURN_SHADOW_CA_FILE"):
            return context_for(self.shadow_ca_file)

    @property
    def credentials_base_url(self) -> str | None:
        """URL of the credentials service, without a trailing slash."""
        return None if self.credentials_url is None else str(self.credentials_url).rstrip("/")

    def log_keys(self) -> LogVerificationKeys:
        if self.log_verification_keys is not None:
            with named_setting("KEYTURN_LOG_VERIFICATION_KEYS"):
                return LogVerificationKeys.from_text(self.log_verification_keys)
        if self.fleet_keys is None:
            raise ConfigurationError("KEYTURN_LOG_VERIFICATION_KEYS: required, but not set")
        with named_setting("KEYTURN_FLEET_KEYS"):
            return LogSigningKeys.derived_from(self.fleet_keys.get_secret_value()).verification()

    def realm_rings(self) -> RealmRings | None:
        """Build the key rings of the realms whose secrets are checked and whose tokens are signed. None for a
        process that does neither. Raises ConfigurationError."""
        if self.realm_keys is not None:
            with named_setting("KEYTURN_REALM_KEYS"):
                return LimitedRings.from_text(self.realm_keys.get_secret_value())
        if self.fleet_keys is not None:
            # A node encrypts and digests only for other nodes of the realm, which may have the realm's keys
            # only.
            with named_setting("KEYTURN_FLEET_KEYS"):
                return FleetRing.read(self.fleet_keys.get_secret_value(), by_realm=True)
        return None

    def require_realm_rings(self) -> RealmRings:
        """Return ``realm_rings``. Raises ConfigurationError if there are none."""
        rings = self.realm_rings()
        if rings is None:
            raise ConfigurationError("KEYTURN_FLEET_KEYS: required, but not set")
        return rings

    def key_set_seal(self) -> KeySetSeal:
        """Build the signer and checker of key sets. Raises ConfigurationError."""
        signing = self._fetcher_signing()
        return KeySetSeal(signing, FetcherKeys(None if signing is None else signing.verification()))

    def _fetcher_signing(self) -> LogSigningKeys | None:
        if self.fetcher_keys is not None:
            with named_setting("KEYTURN_FETCHER_KEYS"):
                return LogSigningKeys.from_text(self.fetcher_keys.get_secret_value())
        if self.fleet_keys is not None:
            self.realm_rings()
            with named_setting("KEYTURN_FLEET_KEYS"):
                return LogSigningKeys.derived_from(self.fleet_keys.get_secret_value(), FETCHER)
        return None

    def _require_keys(self) -> None:
        self.require_realm_rings()
        self.log_keys()


class ResourceServerSettings(VerifierSettings):
    """Settings of a verifier inside a resource server: public keys are enough, and the fleet's own nodes poll
    the clients' JWKS URLs."""

    fetcher_enabled: bool = False

    def _require_keys(self) -> None:
        if self.log_verification_keys is None and self.fleet_keys is None:
            raise ConfigurationError("KEYTURN_LOG_VERIFICATION_KEYS: required, but not set")
        self.realm_rings()
        self.log_keys()


class FetcherSettings(VerifierSettings):
    """Settings of a process that only fetches: a fetcher key is all it needs."""

    def _require_keys(self) -> None:
        if self.fetcher_keys is None and self.fleet_keys is None:
            raise ConfigurationError("KEYTURN_FETCHER_KEYS: required, but not set")

    def check_tracing(self) -> None:
        """Check nothing: a fetcher applies no events, and makes no traces."""
