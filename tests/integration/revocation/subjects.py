"""Clients whose access is going to end: one per cell, with its credential for the place."""

import base64
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn_shared.jose.signing import SigningKey
from tests.integration.revocation.cells import name_of
from tests.integration.revocation.deployment import API
from tests.integration.revocation.places import Place
from tests.integration.revocation.ways import Way
from tests.testkit.certificates import Issued, issue
from tests.testkit.secret_signing import sign_with_secret

_LONG: Final = 3000
"""Lifetime of tokens in seconds: longer than a busy machine takes for everything."""
_SHORT: Final = 50


@dataclass
class Subject:
    """``way`` is None for a subject that nothing is ended for. ``token`` and ``cookie`` are obtained
    later."""

    way: Way | None
    place: Place
    realm: str
    issuer: str
    certificate: Issued
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(40))
    uuid: str = ""
    token: str = ""
    cookie: str = ""

    @classmethod
    def make(cls, way: Way | None, place: Place, realm: str, public_url: str, authority: Issued) -> "Subject":
        client_id = _client_id(way, place)
        by = authority if place.kind == "name" else None
        return cls(way, place, realm, f"{public_url}/realms/{realm}", issue(by, f"CN={client_id}"))

    @property
    def client_id(self) -> str:
        return _client_id(self.way, self.place)

    @property
    def subject(self) -> str:
        """The client's subject at its trusted issuer."""
        return f"workload:{self.client_id}"

    @property
    def cell(self) -> str:
        return name_of(self.way, self.place)

    @property
    def key(self) -> SigningKey:
        return key_of(self.certificate)

    @property
    def key_set_path(self) -> str:
        return f"/{self.realm}/{self.client_id}"

    @property
    def platform(self) -> str:
        """The trusted issuer of the client's assertions."""
        return f"https://platform.example/{self.client_id}"

    def provider(self, key_sets: str) -> dict[str, Any]:
        """Represent this issuer as Keycloak's identity provider."""
        config = {"issuer": self.platform, "jwksUrl": f"{key_sets}{self.key_set_path}"}
        config["supportsClientAssertions"] = "true"
        return {"alias": self.client_id, "providerId": "oidc", "config": config}

    def assertion(self) -> str:
        """Make an assertion for the server, usable once (RFC 7523 section 3)."""
        return self._signed(self.issuer, _SHORT)

    def own_token(self) -> str:
        """Make a token for a resource server, usable repeatedly."""
        return self._signed(API, _LONG)

    def _signed(self, audience: str, seconds: int) -> str:
        now = int(time.time())
        names = {"iss": self.client_id, "sub": self.client_id}
        if self.place.kind == "issued":
            names = {"iss": self.platform, "sub": self.subject}
        claims = {**names, "aud": audience, "jti": str(uuid.uuid4())}
        times = {"iat": now, "exp": now + seconds}
        if self.place.kind == "secret":
            return sign_with_secret(self.secret, "HS256", {**claims, **times})
        return self.key.sign_compact(self.key.header_segment(), {**claims, **times})

    def representation(self, key_sets: str) -> dict[str, Any]:
        """Represent the client for Keycloak's import. ``key_sets``: base of the JWKS URLs."""
        attributes = {
            "access.token.lifespan": str(_LONG),
            "token.endpoint.auth.signing.max.exp": str(_LONG + 60),
            **self._keys(key_sets),
        }
        if self.place.administers:
            attributes["keyturn.admin.roles"] = "view-clients"
        if self.place.key == "library":
            attributes["keyturn.audiences"] = API
        if self.way is not None and self.way.key == "rotated":
            attributes["keyturn.secret.expiration-period"] = str(_LONG)
            attributes["keyturn.secret.rotated-expiration-period"] = str(_LONG)
        return {
            "clientId": self.client_id,
            "secret": self.secret,
            "serviceAccountsEnabled": True,
            "clientAuthenticatorType": self.authenticator,
            "attributes": attributes,
        }

    @property
    def authenticator(self) -> str:
        if self.place.key.startswith("tls-"):
            return "client-x509"
        if self.place.key in ("secret-jwt", "verify-secret"):
            return "client-secret-jwt"
        if self.place.kind == "issued":
            return "federated-jwt"
        return "client-jwt" if self.place.kind.endswith("key") else "client-secret"

    def _keys(self, key_sets: str) -> dict[str, str]:
        own = {"x509.self.signed": "true"} if self.authenticator == "client-x509" else {}
        match self.place.kind:
            case "inline key":
                return own | inline(self.certificate)
            case "certified key":
                return own | certified(self.certificate)
            case "fetched key":
                return own | {"use.jwks.url": "true", "jwks.url": f"{key_sets}{self.key_set_path}"}
            case "issued":
                return {"jwt.credential.issuer": self.client_id, "jwt.credential.sub": self.subject}
            case "name":
                return {"x509.subjectdn": f"CN={self.client_id}"}
        return {}


def key_of(certificate: Issued) -> SigningKey:
    return SigningKey(certificate.key, "ES256")


def public_jwk(certificate: Issued) -> dict[str, Any]:
    return dict(key_of(certificate).public_jwk)


def inline(certificate: Issued) -> dict[str, str]:
    """Return attributes of a client with only this key."""
    return {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [public_jwk(certificate)]})}


def certified(certificate: Issued) -> dict[str, str]:
    """Return attributes of a client with this certificate."""
    text = base64.b64encode(certificate.der).decode()
    return {"jwt.credential.certificate": text, "jwt.credential.kid": key_of(certificate).kid}


def _client_id(way: Way | None, place: Place) -> str:
    return f"{way.key if way else 'kept'}.{place.key}"
