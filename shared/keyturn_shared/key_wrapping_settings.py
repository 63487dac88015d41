"""Settings of the device that unwraps the rings' keys."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from keyturn_shared.errors import ConfigurationError


class KeyWrappingSettings(BaseSettings):
    """A PKCS#11 token with key encryption keys, read by every process that is given wrapped keys."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    pkcs11_module: Path | None = None
    """The library of the device's maker."""
    pkcs11_token: str | None = None
    """Label of the token."""
    pkcs11_serial: str | None = None
    """Its serial number, in place of the label."""
    pkcs11_pin_file: Path | None = None
    """File with the PIN. None: the token needs none."""
    pkcs11_seconds: float = Field(default=10.0, gt=0, le=600)
    """Time that the device has to unwrap all keys of a process, in seconds."""

    @model_validator(mode="after")
    def _check_device(self) -> Self:
        if self.pkcs11_token is not None and self.pkcs11_serial is not None:
            raise ConfigurationError(
                "KEYTURN_PKCS11_TOKEN and KEYTURN_PKCS11_SERIAL are both set: name the token by one of them"
            )
        return self
