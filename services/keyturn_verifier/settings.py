"""The verifier's settings: ``KEYTURN_*`` environment variables, read once by the process."""

import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, Field, FilePath, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from keyturn_shared.clock import Clock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.sealing import KeyRing
from keyturn_verifier.certificates.chain import ChainCheck
from keyturn_verifier.certificates.headers import CertificateHeader, HeaderForm
from keyturn_verifier.throttling.throttle import FailureLimits
from keyturn_verifier.tokens.discovery import CertificateAbilities

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

    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = (
        ip_network("127.0.0.0/8"),
        ip_network("::1/128"),
    )
    """Networks whose ``X-Forwarded-For`` is believed."""
    tls_certificate_path: FilePath | None = None
    """Certificate chain in PEM with which this node serves TLS itself; None: it serves plain HTTP."""
    tls_key_path: FilePath | None = None
    client_authorities_path: FilePath | None = None
    """Authorities in PEM that clients' certificates have to come from. None: there is no tls_client_auth."""
    client_cert_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    """Networks of the proxies whose word on clients' certificates is believed. None: nobody's is."""
    client_cert_form: HeaderForm = "rfc9440"
    client_cert_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]{0,64}$")
    """The header the proxies use: ``Client-Cert``, or ``Ssl-Client-Cert`` for PEM, unless given."""
    mtls_url: AnyHttpUrl | None = None
    """Base URL at which clients reach the endpoints with a certificate, if not the public one."""

    jwks_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Private networks in which JWKS URLs of every realm may lie."""
    jwks_ca_file: Path | None = None
    """PEM of private authorities that JWKS URLs' servers may be certified by, beside the system's."""
    jwks_proxy: SecretStr | None = None
    """``http://[user:password@]host:port``: an HTTP proxy through which public JWKS URLs are fetched."""
    jwks_proxy_resolves: bool = False
    """The proxy is given names instead of checked addresses, and is what keeps it out of private networks."""
    jwks_min_interval: float = Field(default=10.0, gt=0)
    """Least time between two fetches of one JWKS URL for an unknown kid."""
    fetcher_enabled: bool = True
    """Whether this process also takes its part in fetching JWKS URLs for the fleet."""

    dpop_nonces: bool = False
    """Whether DPoP proofs at the token endpoint need a nonce of the server's."""

    failure_limit_client: int = Field(default=100, ge=0)
    """Failed authentications of one client from one address per window; then 429. 0: no limit."""
    failure_limit_address: int = Field(default=1000, ge=0)
    """Failed authentications from one address per window."""
    failure_window: float = Field(default=60.0, ge=1, le=86_400)

    cached_clients: int = Field(default=200_000, ge=100)
    request_body_limit: int = Field(default=64 * 1024, ge=1024)
    verify_body_limit: int = Field(default=8 * 1024 * 1024, ge=1024)
    request_seconds: float = Field(default=10.0, gt=0)
    """How long a caller may take to send a request, and to take in an answer."""
    connection_limit: int = Field(default=4096, ge=1)
    """Connections at a time; others get a 503 at once."""
    drain_seconds: int = Field(default=10, ge=1)
    """How long answers under way may take after SIGTERM."""

    @field_validator("jwks_allowed_networks", "trusted_proxies", "client_cert_proxies", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(_network(part.strip()) for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="after")
    def _pair_tls_files(self) -> Self:
        if (self.tls_certificate_path is None) != (self.tls_key_path is None):
            raise ConfigurationError("KEYTURN_TLS_CERTIFICATE_PATH and KEYTURN_TLS_KEY_PATH go together")
        return self

    @model_validator(mode="after")
    def _read_keys(self) -> Self:
        # ConfigurationError is no ValueError: it passes through pydantic as it is, with its one clear line.
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

    @property
    def mtls_base_url(self) -> str | None:
        """The URL for clients with certificates without a slash at its end."""
        return None if self.mtls_url is None else str(self.mtls_url).rstrip("/")

    def certificate_header(self) -> CertificateHeader:
        default = "client-cert" if self.client_cert_form == "rfc9440" else "ssl-client-cert"
        name = (self.client_cert_header or default).lower().encode()
        return CertificateHeader(self.client_cert_proxies, self.client_cert_form, name)

    def client_authorities(self, clock: Clock) -> ChainCheck | None:
        """Raises ConfigurationError when the file cannot be read."""
        path = self.client_authorities_path
        if path is None:
            return None
        try:
            pem = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"KEYTURN_CLIENT_AUTHORITIES_PATH: {error.strerror}") from None
        return ChainCheck.from_pem(pem, clock)

    def certificate_abilities(self) -> CertificateAbilities:
        """What the endpoints can do with clients' certificates, as configured."""
        authorities = self.client_authorities_path is not None
        by_proxy = bool(self.client_cert_proxies)
        by_tls = self.tls_certificate_path is not None and authorities
        return CertificateAbilities(shown=by_proxy or by_tls, chains=authorities, untrusted=by_proxy)

    def failure_limits(self) -> FailureLimits:
        return FailureLimits(self.failure_limit_client, self.failure_limit_address, self.failure_window)

    def fleet_ring(self) -> KeyRing:
        return KeyRing.from_text(self.fleet_keys.get_secret_value(), purpose="fleet")


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is not a network: {error}") from None
