"""The rings whose keys may be wrapped, as settings give them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from keyturn.wrapped_keys.ring_names import Ring
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_wrapping import WrappedKey, elements_of, is_wrapped
from keyturn_shared.setting_problems import raise_all


class _Texts(BaseSettings):
    """The texts of the rings, read as the services read them."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    encryption_keys: SecretStr | None = None
    fleet_keys: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class GivenRing:
    """A ring as settings give it: its keys in order, each plain or wrapped."""

    ring: Ring
    elements: list[str] = field(repr=False)

    @property
    def has_wrapped(self) -> bool:
        return any(map(is_wrapped, self.elements))

    @property
    def is_mixed(self) -> bool:
        """Return whether some of its keys are wrapped and others are not."""
        return self.has_wrapped and not all(map(is_wrapped, self.elements))

    def place(self, number: int) -> str:
        """Name a key in errors: the variable, and its number from 1."""
        return f"{self.ring.variable}: key {number}" if len(self.elements) > 1 else self.ring.variable

    def wrapped_keys(self) -> list[tuple[int, WrappedKey]]:
        """Read the wrapped keys, each with its number. Raises ConfigurationError with a line for each that
        cannot be read."""
        keys, problems = [], []
        for number, element in enumerate(self.elements, 1):
            if is_wrapped(element):
                try:
                    keys.append((number, WrappedKey.parse(element)))
                except ConfigurationError as error:
                    problems.append(f"{self.place(number)}: {error.detail}")
        raise_all(problems)
        return keys


def given_rings(
    kind: type[BaseSettings] = _Texts, values: Mapping[str, Any] | None = None
) -> list[GivenRing]:
    """Return the rings that settings of this kind have, by default all. ``values``: by name, in place of the
    environment's."""
    texts = _Texts(**{name: value for name, value in (values or {}).items() if name in _Texts.model_fields})
    found = []
    for ring in Ring:
        text: SecretStr | None = getattr(texts, ring.setting)
        if text is not None and ring.setting in kind.model_fields:
            found.append(GivenRing(ring, elements_of(text.get_secret_value())))
    return found
