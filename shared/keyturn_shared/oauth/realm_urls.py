"""Public URLs of a realm. Pure."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class RealmUrls:
    """Absolute URLs under the public base URL, at Keycloak's paths where it has one.

    ``rotation``: where a client takes its new secret.
    """

    issuer: str
    token: str
    introspection: str
    certs: str
    verify: str
    revocation: str
    rotation: str

    @classmethod
    def of(cls, base_url: str, realm: str) -> Self:
        issuer = f"{base_url}/realms/{quote(realm, safe='')}"
        protocol = f"{issuer}/protocol/openid-connect"
        return cls(
            issuer,
            f"{protocol}/token",
            f"{protocol}/token/introspect",
            f"{protocol}/certs",
            f"{issuer}/verify",
            f"{protocol}/revoke",
            f"{issuer}/rotation",
        )
