"""The environment the local stack gives its processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.stack.ports import LOOPBACK, ReservedPort

ALLOWED_NETWORKS: Final = "127.0.0.0/8,::1/128"
"""JWKS URLs of clients on this machine. Without this setting loopback addresses are refused."""


def allowed_networks(inherited: Mapping[str, str]) -> str:
    """Where JWKS URLs may point in this stack: what the user allows, or this machine."""
    return inherited.get("KEYTURN_JWKS_ALLOWED_NETWORKS") or ALLOWED_NETWORKS


@dataclass(frozen=True, slots=True)
class StackEnvironment:
    """What the processes share. ``inherited`` is the user's own environment: any other setting is theirs."""

    inherited: Mapping[str, str]
    secrets: Mapping[str, str]
    base_url: str
    redis_url: str
    database_url: str

    def of_credentials(self, port: ReservedPort) -> dict[str, str]:
        return self._common(port) | {**self.secrets, "KEYTURN_DATABASE_URL": self.database_url}

    def of_node(self, name: str, port: ReservedPort) -> dict[str, str]:
        """A node gets neither the database nor its keys."""
        return self._common(port) | {
            "KEYTURN_FLEET_KEYS": self.secrets["KEYTURN_FLEET_KEYS"],
            "KEYTURN_NODE_ID": name,
            "KEYTURN_NODE_URL": port.base_url,
        }

    def _common(self, port: ReservedPort) -> dict[str, str]:
        withheld = self.secrets.keys() | {"KEYTURN_DATABASE_URL"}
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
