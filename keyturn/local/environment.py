"""The environment of the local stack's processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.local.ports import LOOPBACK, ReservedPort
from keyturn_shared.signed_log.keys import LogSigningKeys

ALLOWED_NETWORKS: Final = "127.0.0.0/8,::1/128"
"""JWKS URLs of clients on this machine. By default loopback addresses are refused."""


_OF_THE_CONSOLE: Final = "KEYTURN_CONSOLE_"
"""Beginning of settings that only the credentials service needs, a secret among them."""

CREDENTIALS_DEFAULTS: Final = {"KEYTURN_REALM_SEALS": "true"}
"""Settings whose defaults differ in a local stack."""


def allowed_networks(inherited: Mapping[str, str]) -> str:
    """Return the networks that JWKS URLs may reach: those that the user allows, or this machine."""
    return inherited.get("KEYTURN_JWKS_ALLOWED_NETWORKS") or ALLOWED_NETWORKS


@dataclass(frozen=True, slots=True)
class StackEnvironment:
    """Settings common to the processes. ``inherited`` is the user's own environment, which sets everything
    else."""

    inherited: Mapping[str, str]
    secrets: Mapping[str, str]
    base_url: str
    redis_url: str
    database_url: str

    def of_credentials(self, port: ReservedPort) -> dict[str, str]:
        """Return the environment of the credentials service. All processes have one release, so realms have
        their own keys from the start."""
        common = CREDENTIALS_DEFAULTS | self._common(port)
        return common | {**self.secrets, "KEYTURN_DATABASE_URL": self.database_url}

    def of_node(self, name: str, port: ReservedPort, credentials: ReservedPort) -> dict[str, str]:
        """Return the environment of a node: without the database and its keys, and with only the public
        halves of the log's keys."""
        log_keys = LogSigningKeys.from_text(self.secrets["KEYTURN_LOG_SIGNING_KEYS"])
        common = self._common(port).items()
        return {name: value for name, value in common if not name.startswith(_OF_THE_CONSOLE)} | {
            "KEYTURN_LOG_VERIFICATION_KEYS": log_keys.public_keys,
            "KEYTURN_FLEET_KEYS": self.secrets["KEYTURN_FLEET_KEYS"],
            "KEYTURN_NODE_ID": name,
            "KEYTURN_NODE_URL": port.base_url,
            "KEYTURN_CREDENTIALS_URL": credentials.base_url,
        }

    def _common(self, port: ReservedPort) -> dict[str, str]:
        withheld = self.secrets.keys() | {"KEYTURN_DATABASE_URL", "KEYTURN_REALM_KEYS"}
        kept = {name: value for name, value in self.inherited.items() if name not in withheld}
        return kept | {
            "KEYTURN_HOST": LOOPBACK,
            "KEYTURN_PORT": str(port.number),
            "KEYTURN_PUBLIC_URL": self.base_url,
            "KEYTURN_REDIS_URL": self.redis_url,
            "KEYTURN_JWKS_ALLOWED_NETWORKS": allowed_networks(self.inherited),
            "KEYTURN_DRAIN_SECONDS": "1",
            "PYTHONUNBUFFERED": "1",
        }
