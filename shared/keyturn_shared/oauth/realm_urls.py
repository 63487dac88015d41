"""Public URLs of a realm. Pure."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class RealmUrls:
    """Absolute URLs under the public base URL, at Keycloak's paths."""

    issuer: str
    token: str
    introspection: str
    certs: str
    verify: str
    revocation: str

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
        )
