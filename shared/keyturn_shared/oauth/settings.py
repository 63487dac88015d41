"""Settings of client authentication, common to both services."""

from pydantic import AnyHttpUrl, Field, FilePath
from pydantic_settings import BaseSettings

from keyturn_shared.clock import Clock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.named_setting import named_setting
from keyturn_shared.network.setting import NetworkList
from keyturn_shared.oauth.certificates.chain import ChainCheck
from keyturn_shared.oauth.certificates.headers import CertificateHeader, HeaderForm
from keyturn_shared.oauth.throttling.throttle import FailureLimits
from keyturn_shared.oauth.tokens.discovery import CertificateCapabilities


class ClientCheckSettings(BaseSettings):
    """Settings of client authentication and its limits. Times are seconds."""

    assertion_max_lifetime: int = Field(default=60, ge=1, le=86_400)
    clock_skew: float = Field(default=15.0, ge=0, le=300)

    client_authorities_path: FilePath | None = None
    """Authorities in PEM that may issue clients' certificates. None: tls_client_auth is disabled."""
    client_cert_proxies: NetworkList = ()
    """Networks of reverse proxies trusted to forward client certificates. Empty: none."""
    client_cert_form: HeaderForm = "rfc9440"
    client_cert_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]{0,64}$")
    """The header with the certificate; by default ``Client-Cert``, or ``Ssl-Client-Cert`` for PEM."""
    mtls_url: AnyHttpUrl | None = None
    """Base URL of the endpoints for clients with a certificate, if different from the public one."""

    failure_limit_client: int = Field(default=100, ge=0)
    """Failed authentications of one client from one address per window; then 429. 0: no limit."""
    failure_limit_address: int = Field(default=1000, ge=0)
    """Failed authentications from one address per window; then 429. 0: no limit."""
    failure_window: float = Field(default=60.0, ge=1, le=86_400)

    @property
    def mtls_base_url(self) -> str | None:
        """The URL for clients with certificates, without a trailing slash."""
        return None if self.mtls_url is None else str(self.mtls_url).rstrip("/")

    def certificate_header(self) -> CertificateHeader:
        default = "client-cert" if self.client_cert_form == "rfc9440" else "ssl-client-cert"
        name = (self.client_cert_header or default).lower().encode()
        return CertificateHeader(self.client_cert_proxies, self.client_cert_form, name)

    def client_authorities(self, clock: Clock) -> ChainCheck | None:
        """Load the authorities. Raises ConfigurationError when the file cannot be read."""
        path = self.client_authorities_path
        if path is None:
            return None
        try:
            pem = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"KEYTURN_CLIENT_AUTHORITIES_PATH: {error.strerror}") from None
        with named_setting("KEYTURN_CLIENT_AUTHORITIES_PATH"):
            return ChainCheck.from_pem(pem, clock)

    def certificate_capabilities(self) -> CertificateCapabilities:
        """Return the endpoints' capabilities with certificates that proxies forward, as configured."""
        by_proxy = bool(self.client_cert_proxies)
        return CertificateCapabilities(
            shown=by_proxy, chains=self.client_authorities_path is not None, untrusted=by_proxy
        )

    def failure_limits(self) -> FailureLimits:
        return FailureLimits(self.failure_limit_client, self.failure_limit_address, self.failure_window)
