"""The rings whose keys may be wrapped."""

from enum import StrEnum


class Ring(StrEnum):
    """The rings, by the purpose of their keys."""

    ENCRYPTION = "encryption"
    FLEET = "fleet"

    @property
    def setting(self) -> str:
        """The name of its setting."""
        return f"{self.value}_keys"

    @property
    def variable(self) -> str:
        return f"KEYTURN_{self.setting.upper()}"
