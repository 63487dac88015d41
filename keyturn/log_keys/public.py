"""The public halves of the log's keys, from the settings of the credentials service."""

from typing import Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from keyturn.wrapped_keys.unwrapping import settings_with_keys
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.named_setting import named_setting
from keyturn_shared.signed_log.keys import LogSigningKeys


class LogKeySettings(BaseSettings):
    """The settings of the credentials service that determine the signing keys."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    log_signing_keys: SecretStr | None = None
    fleet_keys: SecretStr | None = None

    @model_validator(mode="after")
    def _read(self) -> Self:
        self.keys()
        return self

    def keys(self) -> LogSigningKeys:
        """Load the keys. Raises ConfigurationError."""
        if self.log_signing_keys is not None:
            with named_setting("KEYTURN_LOG_SIGNING_KEYS"):
                return LogSigningKeys.from_text(self.log_signing_keys.get_secret_value())
        if self.fleet_keys is not None:
            with named_setting("KEYTURN_FLEET_KEYS"):
                return LogSigningKeys.derived_from(self.fleet_keys.get_secret_value())
        raise ConfigurationError("neither KEYTURN_LOG_SIGNING_KEYS nor KEYTURN_FLEET_KEYS is set")


def print_public_keys() -> None:
    """Print the public halves. Raises ConfigurationError."""
    settings = settings_with_keys(LogKeySettings, instead=["log_signing_keys"])
    print(settings.keys().public_keys)  # noqa: T201 - the output of a command
