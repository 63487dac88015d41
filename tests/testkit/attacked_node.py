"""Target of the attacks: similar realms, neighbours, and a client with every credential."""

import time
from dataclasses import dataclass
from typing import Any, Final

import httpx
from redis.asyncio import Redis

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.filled_redis import Filling, client_of, projected_key, projected_secret, realm_of
from tests.testkit.nodes import ASSERTION_TYPE, BASE_URL, RunningNode, assertion_claims

ISSUER: Final = f"{BASE_URL}/realms/acme"
TOKEN: Final = f"{ISSUER}/protocol/openid-connect/token"
SECRET: Final = "the worker's secret, of more than 32 octets"
OTHER_SECRET: Final = "the neighbour's secret, of more than 32 octets"
KEY: Final = SigningKey.generate("ES256", kid="worker-1")
SECOND_KEY: Final = SigningKey.generate("ES256", kid="worker-2")
REVOKED_KEY: Final = SigningKey.generate("ES256", kid="worker-0")
OTHER_KEY: Final = SigningKey.generate("ES256", kid="neighbour-1")
RSA_KEY: Final = SigningKey.generate("RS256", kid="worker-rsa")
REALM_KEY: Final = SigningKey.generate("ES256", kid="realm-1")
TWIN_KEY: Final = SigningKey.generate("ES256", kid="realm-1")
"""The twin realm's, under the same kid."""


async def fill(redis: Redis) -> None:
    """Write ``acme``, its ``twin`` with a client of the same name and key, and a ``strict`` realm."""
    acme = realm_of("acme", signing_keys=(projected_key(REALM_KEY),))
    twin = realm_of("twin", signing_keys=(projected_key(TWIN_KEY),))
    strict = realm_of("strict", strict_audience=True, strict_assertion_lifetime=True)
    off = realm_of("off", enabled=False)
    keys: dict[str, Any] = {
        "keys": [key.public_jwk for key in (KEY, SECOND_KEY, REVOKED_KEY, RSA_KEY)],
    }
    revoked = frozenset({REVOKED_KEY.verification_key.thumbprint})
    worker = {
        "authenticator": "client-jwt",
        "jwks": keys,
        "jwks_source": "jwks",
        "revoked_thumbprints": revoked,
    }
    past = time.time() - 60
    await Filling.on(redis).open(
        *(acme, twin, strict, off),
        client_of(acme, "worker", **worker),
        client_of(twin, "worker", **worker),
        client_of(strict, "worker", **worker),
        client_of(off, "worker", **worker),
        client_of(acme, "neighbour", key=OTHER_KEY),
        client_of(acme, "disabled", key=KEY, enabled=False),
        client_of(acme, "es384-only", key=KEY, signing_alg="ES384"),
        client_of(
            *(acme, "by-secret"),
            secret=SECRET,
            default_scopes=("read",),
            audiences=("https://api",),
            resource_audiences=("https://api",),
        ),
        client_of(acme, "by-other-secret", secret=OTHER_SECRET),
        client_of(acme, "by-disabled-secret", secret=SECRET, enabled=False),
        client_of(acme, "post-only", secret=SECRET, secret_transport="post"),
        client_of(
            acme, "rotated", uuid="rotated", secrets=(projected_secret("rotated", SECRET, not_after=past),)
        ),
        client_of(acme, "no-secret"),
        client_of(acme, "no-service-account", secret=SECRET, service_accounts_enabled=False),
        client_of(acme, "by-mac", secret=SECRET, authenticator="client-secret-jwt"),
        client_of(
            acme, "by-mac-hs512", secret=SECRET * 2, authenticator="client-secret-jwt", signing_alg="HS512"
        ),
        client_of(twin, "by-secret", secret=SECRET, default_scopes=("read",)),
        client_of(twin, "by-mac", secret=SECRET, authenticator="client-secret-jwt"),
    )


@dataclass
class Scene:
    """A node that serves it."""

    node: RunningNode

    async def assert_as(
        self, assertion: str, *, realm: str = "acme", headers: dict[str, str] | None = None, **form: str
    ) -> httpx.Response:
        """Request a token with this assertion."""
        fields = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **form}
        return await self.node.token(realm, fields, headers=headers or {})

    async def by_secret(self, client_id: str, secret: str, realm: str = "acme") -> httpx.Response:
        """Request a token with client_secret_post."""
        return await self.node.token(realm, {"client_id": client_id, "client_secret": secret})

    async def raw(self, body: bytes, *headers: tuple[str, str], query: str = "") -> httpx.Response:
        """Send these octets as a token request."""
        sent = [("content-type", "application/x-www-form-urlencoded"), *headers]
        return await self.node.http.post(f"{TOKEN}{query}", content=body, headers=sent)

    async def access_token(self, client_id: str = "by-secret", realm: str = "acme") -> str:
        """Return an honest access token."""
        answer = await self.by_secret(client_id, SECRET, realm)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def signed(
    key: SigningKey = KEY, *, header: dict[str, Any] | None = None, realm: str = "acme", **claims: Any
) -> str:
    """Sign a token with ``key``, by default by the worker for the realm. None removes a claim."""
    members = {**assertion_claims("worker", realm), **claims}
    kept = {name: value for name, value in members.items() if value is not None}
    return sign_raw(key, strict_json.encode(kept), header)


def sign_raw(key: SigningKey, payload: bytes, header: dict[str, Any] | None = None) -> str:
    """Sign any payload under any header."""
    first = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"} | (header or {})
    kept = {name: value for name, value in first.items() if value is not None}
    signing_input = base64url.encode(strict_json.encode(kept)) + b"." + base64url.encode(payload)
    return (signing_input + b"." + base64url.encode(key.sign(signing_input))).decode()
