"""A verifier with TLS, also behind nginx, and clients of it for every authenticator."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric import rsa
from redis.asyncio import Redis

from keyturn_shared.jose.signing import SigningKey
from keyturn_verifier.web.protocol import HttpProtocol
from tests.testkit.certificates import Issued, issue, make_authority
from tests.testkit.client_certificates_nginx import serve_with_client_certificates
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.nodes import running_node
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.served import listen, served, url_of
from tests.testkit.tls import ServerTls

REALM: Final = "acme"
SECRET: Final = "only-letters-digits-and-hyphens-make-this-secret-of-64-octets-0x"
"""Needs no encoding, like keyturn's own: not every library encodes a secret by RFC 6749 2.3.1."""

ASYMMETRIC: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SYMMETRIC: Final = ("HS256", "HS384", "HS512")


@dataclass(frozen=True)
class Scene:
    """``keys``: private JWKs by algorithm, all of one client. ``certificates``: of the clients with
    certificates, by method. ``mtls_issuer``: the same where nginx asks for them. Client ids are constants of
    this class."""

    issuer: str
    mtls_issuer: str
    authority: Path
    keys: dict[str, dict[str, Any]]
    certificates: dict[str, "CertificateFiles"]

    by_secret = "by-secret"
    by_secret_jwt = "by-secret-jwt"
    by_key = "by-key"

    @property
    def server_url(self) -> str:
        """Return the URL of the realms, in the form that Keycloak's libraries expect."""
        return self.issuer.partition("/realms/")[0]

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/token"

    @property
    def introspection_endpoint(self) -> str:
        return f"{self.token_endpoint}/introspect"

    def for_node(self) -> str:
        """Return the parameters of a program in another language, as JSON."""
        return json.dumps(
            {
                "issuer": self.issuer,
                "secret": SECRET,
                "keys": self.keys,
                "bySecret": self.by_secret,
                "bySecretJwt": self.by_secret_jwt,
                "byKey": self.by_key,
                "certificates": [
                    {
                        "method": method,
                        "clientId": method,
                        "certificate": files.certificate.read_text(),
                        "key": files.key.read_text(),
                    }
                    for method, files in self.certificates.items()
                ],
            }
        )


@dataclass(frozen=True)
class CertificateFiles:
    """A client's certificate and private key in PEM."""

    certificate: Path
    key: Path

    @classmethod
    def write(cls, directory: Path, name: str, issued: Issued) -> Self:
        files = cls(directory / f"{name}.pem", directory / f"{name}.key")
        files.certificate.write_bytes(issued.pem)
        files.key.write_bytes(issued.key_pem)
        return files

    @property
    def pair(self) -> tuple[str, str]:
        """Return the files in the form for requests."""
        return str(self.certificate), str(self.key)


@asynccontextmanager
async def oauth_scene(
    redis: Redis, redis_url: str, directory: Path, nginx: Path, processes: Processes
) -> AsyncIterator[Scene]:
    """A node that serves TLS itself, with the features that the libraries use; and nginx in front of it, on
    another port, for clients with certificates."""
    tls = ServerTls.make(directory)
    keys = _keys()
    root = make_authority("CN=Root")
    certificates = {
        "tls_client_auth": issue(root),
        "self_signed_tls_client_auth": issue(None, "CN=self"),
    }
    authorities = directory / "authorities.pem"
    authorities.write_bytes(root.pem)
    await _fill(redis, list(keys.values()), certificates)
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(listen())
        base_url, port = url_of(listening, tls=True), find_free_port()
        node = await stack.enter_async_context(
            running_node(
                redis_url,
                public_url=base_url,
                mtls_url=f"https://127.0.0.1:{port}",
                client_cert_proxies="127.0.0.1",
                client_cert_form="pem",
                client_authorities_path=str(authorities),
            )
        )
        await stack.enter_async_context(served(node.app, HttpProtocol, listening=listening, tls=tls))
        plain_url = await stack.enter_async_context(served(node.app, HttpProtocol))
        await serve_with_client_certificates(nginx, processes, directory, plain_url, tls, port)
        yield Scene(
            f"{base_url}/realms/{REALM}",
            f"https://127.0.0.1:{port}/realms/{REALM}",
            tls.authority,
            {alg: json.loads(key.export_private_jwk()) for alg, key in keys.items()},
            {
                method: CertificateFiles.write(directory, method, issued)
                for method, issued in certificates.items()
            },
        )


@cache
def _keys() -> dict[str, SigningKey]:
    """Return one key by algorithm; all of RSA's share one key, under several names."""
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        alg: SigningKey(rsa_key, alg, kid=alg) if alg[0] in "RP" else SigningKey.generate(alg, kid=alg)
        for alg in (*ASYMMETRIC, "Ed25519")
    }


async def _fill(redis: Redis, keys: list[SigningKey], certificates: dict[str, Issued]) -> None:
    realm = realm_of(REALM)
    jwks: dict[str, Any] = {"keys": [key.public_jwk for key in keys]}
    own = {"keys": [certificates["self_signed_tls_client_auth"].public_jwk]}
    by_certificate = {"authenticator": "client-x509"}
    clients: dict[str, dict[str, Any]] = {
        # Clients with certificates are named after their method.
        "tls_client_auth": {**by_certificate, "x509_subject_dn": "CN=worker,O=Acme"},
        "self_signed_tls_client_auth": {**by_certificate, "x509_self_signed": True, "jwks": own},
        Scene.by_secret: {"secret": SECRET},
        Scene.by_secret_jwt: {"authenticator": "client-secret-jwt", "secret": SECRET},
        Scene.by_key: {"authenticator": "client-jwt", "jwks": jwks, "jwks_source": "jwks"},
    }
    filling = Filling.on(redis)
    await filling.open(realm, *(client_of(realm, name, **fields) for name, fields in clients.items()))
