"""Clients of the simulated realm: their secrets and keys, and what each makes of a client's state."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import (
    ClientProjection,
    RealmProjection,
    SubjectProjection,
    client_field,
)
from keyturn_shared.realm_rings import FleetRing
from tests.simulation.database import Commit

REALM: Final = "main"
REALM_ID: Final = "r"
BASE_URL: Final = "https://id.example.test"
RING: Final = FleetRing([b"k" * 32])
SECRET_CLIENTS: Final = ("s1", "s2")
KEY_CLIENTS: Final = ("j1",)
CLIENTS: Final = SECRET_CLIENTS + KEY_CLIENTS

KEYS: Final = [
    SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32), "EdDSA", kid=f"k{n}") for n in range(8)
]


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential: a secret, or a key by its number."""

    client_id: str
    secret: str = ""
    key: int = -1

    @property
    def field(self) -> str:
        return client_field(REALM_ID, self.client_id)

    def assertion(self, jti: str, now: float, lifetime: float) -> str:
        """Make a signed assertion (RFC 7523 section 3)."""
        key = KEYS[self.key]
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{BASE_URL}/realms/{REALM}",
            "jti": jti,
            "iat": now,
            "exp": now + lifetime,
        }
        return key.sign_compact(key.header_segment(), claims)

    def is_accepted_by(self, client: ClientProjection | None) -> bool:
        """Return the required answer for a client in this state."""
        if client is None or not client.enabled:
            return False
        if self.key >= 0:
            key = KEYS[self.key]
            return key.kid in kids_of(client) and thumbprint_of(self.key) not in client.revoked_thumbprints
        digest = RING.digest(self.secret, f"client-secret:{client.uuid}")
        return any(secret.digest == digest for secret in client.secrets)


def commit_id(client: ClientProjection) -> str:
    """Return the event that made a projection. It is stored as a scope, so that an answer shows what it
    read."""
    assert client.scopes, "as this simulation makes them"
    return client.scopes[0]


def realm_commit_id(realm: RealmProjection) -> str:
    """Return the event that made a realm's projection, which is stored as a network here."""
    return realm.jwks_allowed_networks[0]


def ended_by(commit: Commit, name: str, ending: Collection[str]) -> bool:
    """Return whether a change of this projection ended all tokens issued before it: it was deleted, disabled,
    or ``notBefore`` was set to that very second, by one of the changes ``ending``."""
    after = commit.changed[name]
    former = commit.parent and commit.parent.states.get(name)
    before = None if former is None else former.changed[name]
    if before is None or after is None:
        return True
    assert not isinstance(before, SubjectProjection)
    assert not isinstance(after, SubjectProjection), "nothing ends with a subject alone"
    if not after.enabled:
        return True
    return after.not_before > before.not_before and commit.id in ending


def thumbprint_of(number: int) -> str:
    return KEYS[number].verification_key.thumbprint


def kids_of(client: ClientProjection) -> list[str]:
    """The key ids of the client's inline keys."""
    keys = (client.jwks or {"keys": []})["keys"]
    assert isinstance(keys, list)
    return [str(key["kid"]) for key in keys]
