"""A realm's metadata is true: what it names works, and what it does not name does not."""

import base64
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from tests.testkit.certificates import Issued, issue, make_authority
from tests.testkit.filled_redis import Filling, client_of, projected_key, realm_of
from tests.testkit.nodes import (
    BASE_URL,
    RunningNode,
    assertion,
    running_node,
    secret_assertion,
)

SECRET = "a secret of sixty-four octets or more, as HS512 asks for: 0123456789abcdef"
ISSUER = f"{BASE_URL}/realms/acme"
ROOT = make_authority("CN=Root")


async def metadata(node: RunningNode, kind: str = "oauth-authorization-server") -> dict[str, Any]:
    told: dict[str, Any] = (await node.http.get(f"/realms/acme/.well-known/{kind}")).json()
    return told


async def by_certificate(node: RunningNode, client_id: str, certificate: Issued) -> httpx.Response:
    header = {"Client-Cert": f":{base64.b64encode(certificate.der).decode()}:"}
    return await node.token("acme", {"client_id": client_id}, headers=header)


async def test_every_method_that_is_named_gives_a_token(
    filling: Filling, realm: RealmProjection, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "authorities.pem").write_bytes(ROOT.pem)
    key, own, signed = SigningKey.generate(), issue(None), issue(ROOT)
    x509 = {"authenticator": "client-x509"}
    for client in (
        client_of(realm, "secret", secret=SECRET),
        client_of(realm, "secret-jwt", secret=SECRET, authenticator="client-secret-jwt"),
        client_of(realm, "key", key=key),
        client_of(realm, "name", **x509, x509_subject_dn="CN=worker,O=Acme"),
        client_of(realm, "self", **x509, x509_self_signed=True, jwks={"keys": [own.public_jwk]}),
    ):
        await filling.change(realm, client)
    settings: dict[str, Any] = {
        "client_authorities_path": tmp_path / "authorities.pem",
        "client_cert_proxies": "127.0.0.1",
    }
    async with running_node(redis_url, **settings) as node:
        answers = {
            "client_secret_basic": await node.token_by_secret("acme", "secret", SECRET),
            "client_secret_post": await node.token("acme", {"client_id": "secret", "client_secret": SECRET}),
            "client_secret_jwt": await node.token_by_assertion(
                "acme", secret_assertion(SECRET, "secret-jwt", "acme")
            ),
            "private_key_jwt": await node.token_by_assertion("acme", assertion(key, "key", "acme")),
            "tls_client_auth": await by_certificate(node, "name", signed),
            "self_signed_tls_client_auth": await by_certificate(node, "self", own),
        }
        told = await metadata(node)
        assert set(told["token_endpoint_auth_methods_supported"]) == answers.keys()
        assert (
            told["introspection_endpoint_auth_methods_supported"]
            == told["token_endpoint_auth_methods_supported"]
        )
        assert {method: answer.status_code for method, answer in answers.items()} == dict.fromkeys(
            answers, 200
        )


async def test_every_algorithm_that_is_named_is_accepted_in_an_assertion(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    told = await metadata(node)
    named = told["token_endpoint_auth_signing_alg_values_supported"]
    assert set(named) == ASYMMETRIC_NAMES | SYMMETRIC_NAMES
    rsa_key = SigningKey.generate("RS256")
    for alg in named:
        if alg in SYMMETRIC_NAMES:
            client = client_of(realm, alg, secret=SECRET, authenticator="client-secret-jwt")
            signed = secret_assertion(SECRET, alg, "acme", alg)
        else:
            key = (
                SigningKey.generate(alg)
                if alg[:2] not in ("RS", "PS")
                else SigningKey(rsa_key._private_key, alg)
            )
            client, signed = client_of(realm, alg, key=key), assertion(key, alg, "acme")
        await filling.change(realm, client)
        assert (await node.token_by_assertion("acme", signed)).status_code == 200, alg


async def test_the_addresses_are_those_of_this_realm_and_answer(node: RunningNode) -> None:
    told = await metadata(node)
    assert told == await metadata(node, "openid-configuration")
    assert told["issuer"] == ISSUER
    assert set(told["grant_types_supported"]) == {"client_credentials"}
    assert told["response_types_supported"] == []
    for name, method, status in (
        ("jwks_uri", "GET", 200),
        ("token_endpoint", "POST", 400),
        ("introspection_endpoint", "POST", 400),
    ):
        assert told[name].startswith(f"{ISSUER}/")
        assert (await node.http.request(method, told[name])).status_code == status, name


async def test_the_algorithms_of_the_realm_are_those_of_its_keys(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    keys = (
        projected_key(SigningKey.generate("EdDSA"), "active"),
        projected_key(SigningKey.generate("ES384"), "next"),
    )
    await filling.rotate(realm_of("acme", signing_keys=keys))
    told = await metadata(node)
    assert told["id_token_signing_alg_values_supported"] == ["EdDSA", "ES384"]
    assert told["introspection_signing_alg_values_supported"] == ["EdDSA", "ES384"]


async def test_keys_and_metadata_may_be_cached_for_less_long_than_a_key_is_published_before_use(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    for path in ("protocol/openid-connect/certs", ".well-known/openid-configuration"):
        url = f"/realms/acme/{path}"
        answer = await node.http.get(url)
        assert answer.headers["cache-control"] == "public, max-age=60"
        assert answer.headers["access-control-allow-origin"] == "*"
        tag = {"If-None-Match": answer.headers["etag"]}
        unchanged = await node.http.get(url, headers=tag)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
    await filling.rotate(realm_of("acme"))
    changed = await node.http.get("/realms/acme/protocol/openid-connect/certs", headers=tag)
    assert changed.status_code == 200
    private = {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert all(private.isdisjoint(key) for key in changed.json()["keys"])


@pytest.mark.parametrize("strict", [False, True])
async def test_an_assertion_names_the_issuer_and_the_token_endpoint_only_where_the_realm_lets_it(
    strict: bool, node: RunningNode, filling: Filling
) -> None:
    """The successor of RFC 7523 requires the issuer."""
    realm, key = realm_of("strict", strict_audience=strict), SigningKey.generate()
    await filling.rotate(realm)
    await filling.change(realm, client_of(realm, "worker", key=key))
    issuer = f"{BASE_URL}/realms/strict"
    token, introspection = (f"{issuer}/protocol/openid-connect/token{each}" for each in ("", "/introspect"))

    async def status(audience: object) -> int:
        answer = await node.token_by_assertion("strict", assertion(key, "worker", "strict", aud=audience))
        return answer.status_code

    assert await status(issuer) == await status([issuer]) == 200
    for loose in (token, introspection, [issuer, token]):
        assert await status(loose) == (401 if strict else 200), loose
    for wrong in (f"{issuer}/", ISSUER, [issuer, "https://other.example"], [], "", None):
        assert await status(wrong) == 401, wrong


async def test_a_realm_in_brief_shows_the_key_that_signs(node: RunningNode, filling: Filling) -> None:
    """The RSA key of RS256, if there is one: that is what Keycloak's adapters expect."""
    signs, other = SigningKey.generate(), SigningKey.generate("RS256")
    for name, keys in (("plain", (signs,)), ("rsa", (signs, other))):
        realm = realm_of(name, signing_keys=tuple(projected_key(key) for key in keys))
        await node.applied(await filling.rotate(realm))
        shown = (await node.http.get(f"/realms/{name}")).json()
        public = load_der_public_key(base64.b64decode(shown["public_key"]))
        assert public == keys[-1].verification_key.public_key
        assert shown["realm"] == name
    assert (await node.http.post("/realms/plain")).status_code == 405
