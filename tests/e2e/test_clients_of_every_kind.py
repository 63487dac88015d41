"""Unmodified Keycloak and OAuth programs work with a running stack."""

import json
import time
import uuid
from typing import Any

import httpx
import jwt
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey
from jwt.algorithms import ECAlgorithm
from keycloak import KeycloakAdmin, KeycloakOpenIDConnection

from tests.testkit.local_stack import Admin, RunningStack, ask_token, token_url


class Key:
    """A client's P-256 key."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.kid = str(uuid.uuid4())
        self.jwk = {**public, "kid": self.kid, "alg": "ES256", "use": "sig"}

    @property
    def pem(self) -> str:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def assertion(self, client_id: str, audience: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": str(uuid.uuid4()),
        }
        claims |= {"iat": now, "exp": now + 30}
        return jwt.encode(claims, self.private, algorithm="ES256", headers={"kid": self.kid})


@pytest.fixture(scope="module")
def issuer(stack: RunningStack, admin: Admin) -> str:
    url = f"{stack.base_url}/realms/{admin.realm}/.well-known/openid-configuration"
    return str(httpx.get(url, trust_env=False).json()["issuer"])


def with_inline_keys(*keys: Key) -> dict[str, Any]:
    attributes = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.jwk for key in keys]})}
    return {"clientAuthenticatorType": "client-jwt", "attributes": attributes}


def ask_with_key(node_url: str, realm: str, client_id: str, assertion: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    return httpx.post(token_url(node_url, realm), data=form, trust_env=False)


def test_python_keycloak_creates_a_client_and_regenerates_its_secret(
    stack: RunningStack, admin: Admin
) -> None:
    login = stack.local["admin"]
    connection = KeycloakOpenIDConnection(
        server_url=f"{stack.base_url}/",
        realm_name=admin.realm,
        user_realm_name=login["realm"],
        client_id=login["client_id"],
        client_secret_key=login["client_secret"],
    )
    keycloak = KeycloakAdmin(connection=connection)
    made = keycloak.create_client({"clientId": "from-python-keycloak", "serviceAccountsEnabled": True})
    assert keycloak.get_client_id("from-python-keycloak") == made
    first = keycloak.get_client_secrets(made)["value"]
    second = keycloak.generate_client_secrets(made)["value"]
    assert keycloak.get_client_secrets(made) == {"type": "secret", "value": second}
    assert first != second

    for node in stack.node_urls:
        assert ask_token(node, admin.realm, "from-python-keycloak", second).status_code == 200
        assert ask_token(node, admin.realm, "from-python-keycloak", first).status_code == 401


def test_authlib_and_requests_get_tokens_with_a_secret(stack: RunningStack, admin: Admin) -> None:
    secret = admin.secret(admin.make_client("with-a-secret"))
    url = token_url(stack.base_url, admin.realm)
    for method in ("client_secret_basic", "client_secret_post"):
        session = OAuth2Session("with-a-secret", secret, token_endpoint_auth_method=method)
        token = session.fetch_token(url, grant_type="client_credentials")
        assert token["token_type"] == "Bearer"

    form = {"grant_type": "client_credentials"}
    basic = requests.post(url, data=form, auth=("with-a-secret", secret), timeout=10)
    fields = {**form, "client_id": "with-a-secret", "client_secret": secret}
    post = requests.post(url, data=fields, timeout=10)
    assert (basic.status_code, post.status_code) == (200, 200)
    wrong = requests.post(url, data=form, auth=("with-a-secret", "wrong"), timeout=10)
    assert wrong.status_code == 401


def test_authlib_gets_tokens_with_private_key_jwt(stack: RunningStack, admin: Admin, issuer: str) -> None:
    key = Key()
    admin.make_client("with-a-key", **with_inline_keys(key))
    url = token_url(stack.base_url, admin.realm)
    private = ECKey.import_key(key.pem)
    session = OAuth2Session("with-a-key", private, token_endpoint_auth_method="private_key_jwt")
    session.register_client_auth_method(
        PrivateKeyJWT(url, alg="ES256", headers={"kid": key.kid}, claims={"exp": int(time.time()) + 30})
    )
    assert session.fetch_token(url, grant_type="client_credentials")["access_token"]


def test_pyjwt_validates_an_access_token_against_certs(
    stack: RunningStack, admin: Admin, issuer: str
) -> None:
    secret = admin.secret(admin.make_client("token-holder"))
    token = ask_token(stack.base_url, admin.realm, "token-holder", secret).json()["access_token"]
    certs = jwt.PyJWKClient(f"{issuer}/protocol/openid-connect/certs", timeout=10)
    key = certs.get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token, key, algorithms=["ES256"], issuer=issuer, options={"verify_aud": False, "require": ["exp"]}
    )
    assert (claims["client_id"], jwt.get_unverified_header(token)["typ"]) == ("token-holder", "at+jwt")


def test_when_a_revocation_returns_every_node_refuses_the_key(
    stack: RunningStack, admin: Admin, issuer: str
) -> None:
    """The client's other key continues to work."""
    lost, kept = Key(), Key()
    client = admin.make_client("one-key-lost", **with_inline_keys(lost, kept))
    for node in stack.node_urls:
        answer = ask_with_key(node, admin.realm, "one-key-lost", lost.assertion("one-key-lost", issuer))
        assert answer.status_code == 200, answer.text

    listed = {key["kid"]: key["thumbprint"] for key in admin.call("GET", f"/clients/{client}/keys").json()}
    revoked = admin.call("POST", f"/clients/{client}/keys/{listed[lost.kid]}/revoke")

    assert revoked.headers["Preference-Applied"] == "wait"
    assert revoked.headers["Keyturn-Fleet"].startswith("nodes=2, applied=2")
    for node in stack.node_urls:
        answers = [
            ask_with_key(node, admin.realm, "one-key-lost", key.assertion("one-key-lost", issuer))
            for key in (lost, kept)
        ]
        assert [answer.status_code for answer in answers] in ([400, 200], [401, 200])


def test_the_fleet_view_names_the_nodes_as_local_json_does(stack: RunningStack, admin: Admin) -> None:
    fleet = admin.call("GET", "/fleet").json()
    assert [node["id"] for node in fleet["nodes"]] == [node["id"] for node in stack.local["nodes"]]
    assert {node["lease"] for node in fleet["nodes"]} == {"held"}
