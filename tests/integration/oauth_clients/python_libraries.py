"""Python's OAuth libraries, each as its own documentation uses it; a function gives back what worked."""

import json
import time
import uuid
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
from msal.oauth2cli.assertion import JwtAssertionCreator
from msal.oauth2cli.oauth2 import Client as MsalClient
from requests_oauth2client import (
    ClientSecretBasic,
    ClientSecretJwt,
    ClientSecretPost,
    OAuth2Client,
    PrivateKeyJwt,
)

from tests.integration.oauth_clients.rows import Row, Worked
from tests.integration.oauth_clients.scene import ASYMMETRIC, SECRET, SYMMETRIC, Scene
from tests.integration.verifier.nodes import ASSERTION_TYPE

_SECONDS = 10


def authlib(scene: Scene) -> list[Row]:
    """``OAuth2Session`` with its assertion methods as they are: they sign for an hour."""
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
        ask(scene.long_secret_jwt, SECRET, "client_secret_jwt", alg, ClientSecretJWT(alg=alg))
    for alg in ASYMMETRIC:
        key = joserfc_jwk.import_key(scene.keys[alg])
        signing = PrivateKeyJWT(alg=alg, headers={"kid": alg})
        ask(scene.long_key, key, "private_key_jwt", alg, signing)
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
    return worked.rows


def msal(scene: Scene) -> list[Row]:
    """Its OAuth client with its assertion creator, which names no kid and signs for ten minutes."""
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
            scene.msal,
            client_assertion=creator.create_normal_assertion(scene.token_endpoint, scene.msal),
            client_assertion_type=MsalClient.CLIENT_ASSERTION_TYPE_JWT,
            timeout=_SECONDS,
        )
        ask(client, "private_key_jwt", alg)
    return worked.rows


def pyjwt(scene: Scene) -> list[Row]:
    """PyJWT signs the assertion; what is sent is a plain form."""

    def sign(claims: dict[str, Any], alg: str) -> str:
        if alg in SYMMETRIC:
            return jwt.encode(claims, SECRET, algorithm=alg)
        kid = "Ed25519" if alg == "EdDSA" else alg
        return jwt.encode(claims, jwt.PyJWK(scene.keys[kid], alg), algorithm=alg, headers={"kid": kid})

    return _signed_by(sign, scene, (*ASYMMETRIC, "EdDSA"))


def joserfc(scene: Scene) -> list[Row]:
    """joserfc signs the assertion; what is sent is a plain form."""
    registry = joserfc_jws.JWSRegistry(algorithms=[*SYMMETRIC, *ASYMMETRIC, "Ed25519"])

    def sign(claims: dict[str, Any], alg: str) -> str:
        if alg in SYMMETRIC:
            key: Any = joserfc_jwk.OctKey.import_key(SECRET)
            return joserfc_jwt.encode({"alg": alg}, claims, key, registry=registry)
        key = joserfc_jwk.import_key(scene.keys[alg])
        return joserfc_jwt.encode({"alg": alg, "kid": alg}, claims, key, registry=registry)

    return _signed_by(sign, scene, (*ASYMMETRIC, "Ed25519"))


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
                now = int(time.time())
                claims = {
                    "iss": client_id,
                    "sub": client_id,
                    "aud": scene.issuer,
                    "jti": str(uuid.uuid4()),
                    "iat": now,
                    "exp": now + 60,
                }
                return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": sign(claims, alg)}

            def post(url: str, form: dict[str, str]) -> dict[str, Any]:
                answer = requests.post(url, form, timeout=_SECONDS)
                return dict(answer.json())

            token = post(scene.token_endpoint, {"grant_type": "client_credentials", **assertion()})
            worked.token(method, alg, token.get("token_type") == "Bearer")
            asked = {"token": token["access_token"], **assertion()}
            worked.introspection(method, alg, post(scene.introspection_endpoint, asked)["active"])
    return worked.rows
