"""Settings of the identity provider at which persons sign in to the console."""

import ssl
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from keyturn_credentials.oidc.claim_path import ClaimPath
from keyturn_credentials.oidc.client_credential import (
    ClientCredential,
    ClientSecret,
    PublicClient,
    read_client_key,
)
from keyturn_credentials.oidc.configuration import (
    CALLBACK_PATH,
    OidcConfiguration,
    check_client_id,
    check_issuer,
    check_scope,
)
from keyturn_credentials.oidc.role_mapping import RoleMapping
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.named_setting import named_setting
from keyturn_shared.network.setting import NetworkList
from keyturn_shared.network.target import read_target
from keyturn_shared.network.tls import context_for
from keyturn_shared.secret import Secret
from keyturn_shared.setting_problems import check_all, raise_all

_PREFIX: Final = "console_oidc_"
_ISSUER: Final = "KEYTURN_CONSOLE_OIDC_ISSUER"


class OidcSettings(BaseSettings):
    """Settings named ``KEYTURN_CONSOLE_OIDC_*``; without the issuer, only clients sign in."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    console_oidc_issuer: str = ""
    """The provider's issuer, exactly as it names itself in its discovery document."""
    console_oidc_name: str = Field(default="", max_length=60)
    """Name of the provider on the button; by default its host."""
    console_oidc_client_id: str = ""
    console_oidc_client_secret: SecretStr | None = None
    """For ``client_secret_basic``."""
    console_oidc_client_key: SecretStr | None = None
    """Private key in PEM, for ``private_key_jwt``. With neither, keyturn is a public client."""
    console_oidc_scopes: str = "openid profile"
    console_oidc_groups_claim: str = "groups"
    """Dotted path of the claim whose values ``console_oidc_roles`` maps."""
    console_oidc_name_claim: str = "name"
    """Dotted path of the claim with the person's name, for display."""
    console_oidc_roles: str = ""
    """JSON: for each group the admin roles by realm."""
    console_oidc_session_seconds: float = Field(default=3600.0, ge=300, le=12 * 3600)
    """Time after the sign-in at which a person's session ends, however often it is renewed."""
    console_oidc_only: bool = False
    """Refuse the sign-in with a client's secret."""
    console_oidc_allowed_networks: NetworkList = ()
    """Private networks that the provider may be in; plain http is accepted only there."""
    console_oidc_ca_file: Path | None = None
    """PEM of private authorities for the provider's certificates, in addition to the system's."""

    def read_oidc(self, base_url: str) -> OidcConfiguration | None:
        """Return the configuration, None without an issuer. ``base_url``: the public one. Raises
        ConfigurationError with a line for each problem."""
        if not self.console_oidc_issuer:
            raise_all(self._set_in_vain())
            return None
        check_all(
            self._issuer,
            self._client_id,
            self._credential,
            self._scope,
            self._groups,
            self._name,
            self._roles,
        )
        issuer = self._issuer()
        return OidcConfiguration(
            issuer=issuer,
            name=self.console_oidc_name.strip() or read_target(issuer).host,
            client_id=self._client_id(),
            credential=self._credential(),
            scope=self._scope(),
            groups=self._groups(),
            name_claim=self._name(),
            roles=self._roles(),
            session_seconds=self.console_oidc_session_seconds,
            redirect_uri=base_url + CALLBACK_PATH,
            networks=self.console_oidc_allowed_networks,
        )

    def oidc_tls(self) -> ssl.SSLContext:
        """Make the TLS context for the provider. Raises ConfigurationError."""
        with named_setting("KEYTURN_CONSOLE_OIDC_CA_FILE"):
            return context_for(self.console_oidc_ca_file)

    def _set_in_vain(self) -> list[str]:
        """Return a line for each setting that means nothing without an issuer."""
        return [
            f"KEYTURN_{name.upper()} is set, but {_ISSUER} is not"
            for name, field in OidcSettings.model_fields.items()
            if name.startswith(_PREFIX) and (value := getattr(self, name)) != field.default and _is_set(value)
        ]

    def _issuer(self) -> str:
        with named_setting(_ISSUER):
            return check_issuer(self.console_oidc_issuer, self.console_oidc_allowed_networks)

    def _client_id(self) -> str:
        with named_setting("KEYTURN_CONSOLE_OIDC_CLIENT_ID"):
            return check_client_id(self.console_oidc_client_id)

    def _credential(self) -> ClientCredential:
        secret, key = _revealed(self.console_oidc_client_secret), _revealed(self.console_oidc_client_key)
        if secret and key:
            raise ConfigurationError(
                "KEYTURN_CONSOLE_OIDC_CLIENT_SECRET and KEYTURN_CONSOLE_OIDC_CLIENT_KEY are both set"
            )
        if key:
            with named_setting("KEYTURN_CONSOLE_OIDC_CLIENT_KEY"):
                return read_client_key(key)
        return ClientSecret(Secret(secret)) if secret else PublicClient()

    def _scope(self) -> str:
        with named_setting("KEYTURN_CONSOLE_OIDC_SCOPES"):
            return check_scope(self.console_oidc_scopes)

    def _groups(self) -> ClaimPath:
        with named_setting("KEYTURN_CONSOLE_OIDC_GROUPS_CLAIM"):
            return ClaimPath.parse(self.console_oidc_groups_claim)

    def _name(self) -> ClaimPath:
        with named_setting("KEYTURN_CONSOLE_OIDC_NAME_CLAIM"):
            return ClaimPath.parse(self.console_oidc_name_claim)

    def _roles(self) -> RoleMapping:
        if not self.console_oidc_roles.strip():
            raise ConfigurationError("KEYTURN_CONSOLE_OIDC_ROLES: required, but not set")
        try:
            return RoleMapping.parse(self.console_oidc_roles)
        except ConfigurationError as error:
            lines = (f"KEYTURN_CONSOLE_OIDC_ROLES: {line}" for line in error.detail.split("\n"))
            raise ConfigurationError("\n".join(lines)) from None


def _is_set(value: object) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def _revealed(given: SecretStr | None) -> str:
    return "" if given is None else given.get_secret_value().strip()
