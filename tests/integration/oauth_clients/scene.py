"""A verifier on TLS, and clients of it for every way to prove oneself."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from redis.asyncio import Redis

from keyturn_shared.jose.signing import SigningKey
from keyturn_verifier.web.protocol import HttpProtocol
from tests.integration.verifier.filling import Filling, client_of, realm_of
from tests.integration.verifier.nodes import running_node
from tests.support.served import listen, served, url_of
from tests.support.tls import ServerTls

REALM: Final = "acme"
SECRET: Final = "only-letters-digits-and-hyphens-make-this-secret-of-64-octets-0x"
"""Needs no encoding, as keyturn's own: not every library encodes a secret as RFC 6749 2.3.1 has it."""

ASYMMETRIC: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SYMMETRIC: Final = ("HS256", "HS384", "HS512")
MSAL_LIFETIME: Final = 600
AUTHLIB_LIFETIME: Final = 3600


@dataclass(frozen=True)
class Scene:
    """``keys``: private JWKs by algorithm, all of one client. Client ids are constants of this class."""

    issuer: str
    authority: Path
    keys: dict[str, dict[str, Any]]

    by_secret = "by-secret"
    by_secret_jwt = "by-secret-jwt"
    by_key = "by-key"
    long_secret_jwt = "by-secret-jwt-for-an-hour"
    long_key = "by-key-for-an-hour"
    msal = "by-key-for-ten-minutes"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/token"

    @property
    def introspection_endpoint(self) -> str:
        return f"{self.token_endpoint}/introspect"

    def for_node(self) -> str:
        """What a program in another language has to know, as JSON."""
        return json.dumps(
            {
                "issuer": self.issuer,
                "secret": SECRET,
                "keys": self.keys,
                "bySecret": self.by_secret,
                "bySecretJwt": self.by_secret_jwt,
                "byKey": self.by_key,
            }
        )


@asynccontextmanager
async def oauth_scene(redis: Redis, redis_url: str, directory: Path) -> AsyncIterator[Scene]:
    """A node that serves over its own HTTP protocol, with TLS, what the libraries ask."""
    tls = ServerTls.make(directory)
    keys = _keys()
    await _fill(redis, list(keys.values()))
    with listen() as listening:
        base_url = url_of(listening, tls=True)
        async with (
            running_node(redis_url, public_url=base_url) as node,
            served(node.app, listening=listening, tls=tls, http=HttpProtocol),
        ):
            private = {alg: json.loads(key.export_private_jwk()) for alg, key in keys.items()}
            yield Scene(f"{base_url}/realms/{REALM}", tls.authority, private)


@cache
def _keys() -> dict[str, SigningKey]:
    """One key by algorithm; those for RSA are one, under several names."""
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        alg: SigningKey(rsa_key, alg, kid=alg) if alg[0] in "RP" else SigningKey.generate(alg, kid=alg)
        for alg in (*ASYMMETRIC, "Ed25519")
    }


async def _fill(redis: Redis, keys: list[SigningKey]) -> None:
    realm = realm_of(REALM)
    jwks: dict[str, Any] = {"keys": [key.public_jwk for key in keys]}
    by_key = {"authenticator": "client-jwt", "jwks": jwks, "jwks_source": "jwks"}
    by_secret_jwt = {"authenticator": "client-secret-jwt", "secret": SECRET}
    clients = {
        Scene.by_secret: {"secret": SECRET},
        Scene.by_secret_jwt: by_secret_jwt,
        Scene.by_key: by_key,
        Scene.long_secret_jwt: {**by_secret_jwt, "max_assertion_lifetime": AUTHLIB_LIFETIME},
        Scene.long_key: {**by_key, "max_assertion_lifetime": AUTHLIB_LIFETIME},
        Scene.msal: {**by_key, "max_assertion_lifetime": MSAL_LIFETIME},
    }
    filling = Filling.on(redis)
    await filling.open(realm, *(client_of(realm, name, **dict(fields)) for name, fields in clients.items()))
