"""Python's OAuth libraries, each used as in its documentation; a function returns what worked."""

import json
from collections.abc import Callable
from typing import Any

import jwt
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from joserfc import jwk as joserfc_jwk
from joserfc import jws as joserfc_jws
from joserfc import jwt as joserfc_jwt
from jwt.algorithms import get_default_algorithms
from keycloak import KeycloakOpenID
from msal.oauth2cli.assertion import JwtAssertionCreator
from msal.oauth2cli.oauth2 import Client as MsalClient
from requests_oauth2client import (
    ClientSecretBasic,
    ClientSecretJwt,
    ClientSecretPost,
    OAuth2Client,
    PrivateKeyJwt,
    PublicApp,
)

from tests.integration.oauth_clients.rows import Row, Worked
from tests.integration.oauth_clients.scene import ASYMMETRIC, REALM, SECRET, SYMMETRIC, Scene
from tests.testkit.nodes import ASSERTION_TYPE, good_claims

_SECONDS = 60


def authlib(scene: Scene) -> list[Row]:
    """``OAuth2Session`` with its own assertion methods: they sign for an hour."""
    worked = Worked()

    def ask(client_id: str, credential: Any, method: str, alg: str = "", extra: Any = None) -> None:
        session = OAuth2Session(client_id, credential, token_endpoint_auth_method=extra or method)
        if extra is not None:
            session.register_client_auth_method(extra)
            session.token_endpoint_auth_method = method
        token = session.fetch_token(scene.token_endpoint, grant_type="client_credentials")
        worked.token(method, alg, token["token_type"] == "Bearer")
        answer = session.introspect_token(scene.introspection_endpoint, token["access_token"])
        worked.introspection(method, alg, answer.json()["active"])

    for method in ("client_secret_basic", "client_secret_post"):
        ask(scene.by_secret, SECRET, method)
    for alg in SYMMETRIC:
        ask(scene.by_secret_jwt, SECRET, "client_secret_jwt", alg, ClientSecretJWT(alg=alg))
    for alg in ASYMMETRIC:
        key = joserfc_jwk.import_key(scene.keys[alg])
        signing = PrivateKeyJWT(alg=alg, headers={"kid": alg})
        ask(scene.by_key, key, "private_key_jwt", alg, signing)
    # The certificate is requests' business; only the client id remains in the form.
    for method, files in scene.certificates.items():
        session = OAuth2Session(method, token_endpoint_auth_method="none")
        session.cert = files.pair
        token = session.fetch_token(_token_endpoint(scene.mtls_issuer), grant_type="client_credentials")
        worked.token(method, "", token["token_type"] == "Bearer")
        url = f"{_token_endpoint(scene.mtls_issuer)}/introspect"
        answer = session.introspect_token(url, token["access_token"])
        worked.introspection(method, "", answer.json()["active"])
    return worked.rows


def requests_oauth2client(scene: Scene) -> list[Row]:
    """Endpoints and the issuer come from discovery."""
    worked = Worked()

    def ask(auth: Any, method: str, alg: str = "") -> None:
        client = OAuth2Client.from_discovery_endpoint(issuer=scene.issuer, auth=auth)
        token = client.client_credentials()
        worked.token(method, alg, token.token_type == "Bearer")
        worked.introspection(method, alg, client.introspect_token(token)["active"])

    ask(ClientSecretBasic(scene.by_secret, SECRET), "client_secret_basic")
    ask(ClientSecretPost(scene.by_secret, SECRET), "client_secret_post")
    for alg in SYMMETRIC:
        ask(ClientSecretJwt(scene.by_secret_jwt, SECRET, alg=alg), "client_secret_jwt", alg)
    for alg in ASYMMETRIC:
        ask(PrivateKeyJwt(scene.by_key, scene.keys[alg], alg=alg), "private_key_jwt", alg)
    for method, files in scene.certificates.items():
        session = requests.Session()
        session.cert = files.pair
        url = _token_endpoint(scene.mtls_issuer)
        client = OAuth2Client(
            url, introspection_endpoint=f"{url}/introspect", auth=PublicApp(method), session=session
        )
        token = client.client_credentials()
        worked.token(method, "", token.token_type == "Bearer")
        worked.introspection(method, "", client.introspect_token(token)["active"])
    return worked.rows


def python_keycloak(scene: Scene) -> list[Row]:
    """Keycloak's own paths below the server's URL, and its parameters, some of them empty."""
    worked = Worked()

    def ask(client: KeycloakOpenID, method: str) -> None:
        token = client.token(grant_type="client_credentials")
        worked.token(method, "", token["token_type"] == "Bearer")
        worked.introspection(method, "", client.introspect(token["access_token"])["active"])

    ask(KeycloakOpenID(scene.server_url, REALM, scene.by_secret, SECRET), "client_secret_post")
    mtls_url = scene.mtls_issuer.partition("/realms/")[0]
    for method, files in scene.certificates.items():
        ask(KeycloakOpenID(mtls_url, REALM, method, cert=files.pair), method)
    return worked.rows


def msal(scene: Scene) -> list[Row]:
    """Its OAuth client with its assertion creator, which sets no kid and signs for ten minutes."""
    worked = Worked()
    configuration = {"token_endpoint": scene.token_endpoint}

    def ask(client: MsalClient, method: str, alg: str = "") -> None:
        answer = client.obtain_token_for_client()
        worked.token(method, alg, answer.get("token_type") == "Bearer")

    ask(
        MsalClient(configuration, scene.by_secret, client_secret=SECRET, timeout=_SECONDS),
        "client_secret_basic",
    )
    posted = {"client_secret": SECRET}
    ask(
        MsalClient(configuration, scene.by_secret, default_body=posted, timeout=_SECONDS),
        "client_secret_post",
    )
    for alg in ASYMMETRIC:
        key = get_default_algorithms()[alg].from_jwk(json.dumps(scene.keys[alg]))
        creator = JwtAssertionCreator(key, alg)
        client = MsalClient(
            configuration,
            scene.by_key,
            client_assertion=creator.create_normal_assertion(scene.token_endpoint, scene.by_key),
            client_assertion_type=MsalClient.CLIENT_ASSERTION_TYPE_JWT,
            timeout=_SECONDS,
        )
        ask(client, "private_key_jwt", alg)
    return worked.rows


def pyjwt(scene: Scene) -> list[Row]:
    """PyJWT signs the assertion, which is sent in a plain form."""

    def sign(claims: dict[str, Any], alg: str) -> str:
        if alg in SYMMETRIC:
            return jwt.encode(claims, SECRET, algorithm=alg)
        kid = "Ed25519" if alg == "EdDSA" else alg
        return jwt.encode(claims, jwt.PyJWK(scene.keys[kid], alg), algorithm=alg, headers={"kid": kid})

    return _signed_by(sign, scene, (*ASYMMETRIC, "EdDSA"))


def joserfc(scene: Scene) -> list[Row]:
    """joserfc signs the assertion, which is sent in a plain form."""
    registry = joserfc_jws.JWSRegistry(algorithms=[*SYMMETRIC, *ASYMMETRIC, "Ed25519"])

    def sign(claims: dict[str, Any], alg: str) -> str:
        if alg in SYMMETRIC:
            key: Any = joserfc_jwk.OctKey.import_key(SECRET)
            return joserfc_jwt.encode({"alg": alg}, claims, key, registry=registry)
        key = joserfc_jwk.import_key(scene.keys[alg])
        return joserfc_jwt.encode({"alg": alg, "kid": alg}, claims, key, registry=registry)

    return _signed_by(sign, scene, (*ASYMMETRIC, "Ed25519"))


def _token_endpoint(issuer: str) -> str:
    return f"{issuer}/protocol/openid-connect/token"


def _signed_by(
    sign: Callable[[dict[str, Any], str], str], scene: Scene, asymmetric: tuple[str, ...]
) -> list[Row]:
    worked = Worked()
    for method, algorithms, client_id in (
        ("client_secret_jwt", SYMMETRIC, scene.by_secret_jwt),
        ("private_key_jwt", asymmetric, scene.by_key),
    ):
        for alg in algorithms:

            def assertion(client_id: str = client_id, alg: str = alg) -> dict[str, str]:
                signed = sign(good_claims(client_id, scene.issuer), alg)
                return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

            def post(url: str, form: dict[str, str]) -> dict[str, Any]:
                answer = requests.post(url, form, timeout=_SECONDS)
                return dict(answer.json())

            token = post(scene.token_endpoint, {"grant_type": "client_credentials", **assertion()})
            worked.token(method, alg, token.get("token_type") == "Bearer")
            asked = {"token": token["access_token"], **assertion()}
            worked.introspection(method, alg, post(scene.introspection_endpoint, asked)["active"])
    return worked.rows
