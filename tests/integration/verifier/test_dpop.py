"""Tokens bound to a key by DPoP (RFC 9449): at the token endpoint, at introspection, behind a gateway."""

from typing import Any

import httpx
import jwt
import pytest

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import ClientProjection, RealmProjection
from tests.testkit.dpop import proof
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import (
    ASSERTION_TYPE,
    BASE_URL,
    RunningNode,
    assertion,
    basic,
    running_node,
)

SECRET = "a secret"
KEY, OTHER = SigningKey.generate(), SigningKey.generate("EdDSA")
TOKEN_URL = f"{BASE_URL}/realms/acme/protocol/openid-connect/token"
API = "https://api.example.test/orders/7"


@pytest.fixture
async def worker(filling: Filling, realm: RealmProjection) -> ClientProjection:
    client = client_of(realm, "worker", secret=SECRET)
    await filling.change(realm, client)
    return client


async def ask(node: RunningNode, *proofs: str) -> httpx.Response:
    headers = [("Authorization", basic("worker", SECRET)), *(("DPoP", each) for each in proofs)]
    return await node.token("acme", {}, headers=headers)


async def bound_token(node: RunningNode, key: SigningKey = KEY) -> str:
    answer = await ask(node, proof(key, "POST", TOKEN_URL))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("alg", ["ES256", "ES512", "RS256", "PS384", "EdDSA"])
async def test_a_token_is_bound_to_the_key_of_its_proof(
    alg: str, node: RunningNode, worker: ClientProjection
) -> None:
    key = SigningKey.generate(alg)
    answer = (await ask(node, proof(key, "POST", TOKEN_URL))).json()
    assert answer["token_type"] == "DPoP"
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert claims["cnf"] == {"jkt": key.verification_key.thumbprint}


async def test_a_proof_goes_with_a_signed_assertion(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "signer", key=OTHER, dpop_bound_tokens=True))
    form = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(OTHER, "signer", "acme"),
    }
    answer = await node.token("acme", form, headers={"DPoP": proof(KEY, "POST", TOKEN_URL)})
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({"jwk": None}, {}),
        ({"jwk": "key"}, {}),
        ({"jwk": KEY.public_jwk | {"d": "AAAA"}}, {}),
        ({"jwk": OTHER.public_jwk}, {}),
        ({"jwk": SigningKey.generate().public_jwk}, {}),
        ({"alg": "none"}, {}),
        ({"alg": "HS256"}, {}),
        ({"crit": ["exp"]}, {}),
        ({}, {"jti": None}),
        ({}, {"jti": ""}),
        ({}, {"jti": 7}),
        ({}, {"htm": "GET"}),
        ({}, {"htm": "post"}),
        ({}, {"htm": None}),
        ({}, {"htu": f"{BASE_URL}/realms/other/protocol/openid-connect/token"}),
        ({}, {"htu": None}),
        ({}, {"htu": ["x"]}),
        ({}, {"iat": None}),
        ({}, {"iat": 0}),
        ({}, {"iat": 9_999_999_999}),
        ({}, {"iat": "now"}),
    ],
)
async def test_a_proof_that_does_not_hold_is_refused_by_its_name(
    header: dict[str, Any], claims: dict[str, Any], node: RunningNode, worker: ClientProjection
) -> None:
    answer = await ask(node, proof(KEY, "POST", TOKEN_URL, header=header, **claims))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), answer.text


async def test_a_proof_is_good_once_and_alone(node: RunningNode, worker: ClientProjection) -> None:
    used = proof(KEY, "POST", TOKEN_URL, jti="once")
    assert (await ask(node, used)).status_code == 200
    for again in (used, proof(KEY, "POST", TOKEN_URL, jti="once")):
        answer = await ask(node, again)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    other = await ask(node, proof(OTHER, "POST", TOKEN_URL, jti="once"))
    assert other.status_code == 200, "another key's jti is another one"
    two = await ask(node, proof(KEY, "POST", TOKEN_URL), proof(KEY, "POST", TOKEN_URL))
    assert (two.status_code, two.json()["error"]) == (400, "invalid_request")


async def test_a_proof_is_not_used_up_by_a_client_that_does_not_prove_itself(
    node: RunningNode, worker: ClientProjection
) -> None:
    kept = proof(KEY, "POST", TOKEN_URL)
    wrong = {"Authorization": basic("worker", "wrong"), "DPoP": kept}
    assert (await node.token("acme", {}, headers=wrong)).status_code == 401
    assert (await ask(node, kept)).status_code == 200


async def test_an_old_proof_is_refused(node: RunningNode, worker: ClientProjection) -> None:
    old = proof(KEY, "POST", TOKEN_URL)
    node.clock.ahead = 60 + 16
    assert (await ask(node, old)).json()["error"] == "invalid_dpop_proof"


async def test_a_client_whose_tokens_are_bound_gets_none_without_a_proof(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET, dpop_bound_tokens=True))
    answer = await ask(node)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert (await ask(node, proof(KEY, "POST", TOKEN_URL))).status_code == 200


async def test_introspection_shows_the_key_and_takes_a_bound_token_of_its_caller_only_with_a_proof(
    node: RunningNode, worker: ClientProjection
) -> None:
    token, url = await bound_token(node), f"{TOKEN_URL}/introspect"

    async def introspect(**headers: str) -> httpx.Response:
        return await node.http.post(url, data={"token": token}, headers=headers)

    told = (await introspect(Authorization=basic("worker", SECRET))).json()
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": KEY.verification_key.thumbprint})
    assert (await introspect(Authorization=f"Bearer {token}")).status_code == 401
    good = {"Authorization": f"DPoP {token}", "DPoP": proof(KEY, "POST", url, token)}
    assert (await introspect(**good)).json()["active"]
    again = await introspect(**good)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_dpop_proof"), "the same proof again"
    assert again.headers["www-authenticate"].startswith("DPoP ")


def forwarded(token: str, dpop: str | None, scheme: str = "DPoP") -> dict[str, str]:
    """Return Traefik's headers."""
    headers = {
        "Authorization": f"{scheme} {token}",
        "X-Forwarded-Method": "PUT",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "api.example.test",
        "X-Forwarded-Uri": "/orders/7?view=full",
    }
    return headers if dpop is None else headers | {"DPoP": dpop}


async def test_a_gateway_lets_a_bound_token_pass_with_a_proof_for_the_request_it_asks_about(
    node: RunningNode, worker: ClientProjection
) -> None:
    token = await bound_token(node)

    async def asked(headers: dict[str, str], path: str = "", method: str = "GET") -> httpx.Response:
        return await node.http.request(method, f"/realms/acme/forward-auth{path}", headers=headers)

    used = proof(KEY, "PUT", API, token)
    assert (await asked(forwarded(token, used))).status_code == 204
    nginx = {
        "Authorization": f"DPoP {token}",
        "X-Original-Method": "PUT",
        "X-Original-URL": API,
        "DPoP": proof(KEY, "PUT", API, token),
    }
    assert (await asked(nginx)).status_code == 204
    envoy = {
        "Authorization": f"DPoP {token}",
        "Host": "api.example.test",
        "DPoP": proof(KEY, "PUT", API, token),
    }
    assert (await asked(envoy, "/orders/7", "PUT")).status_code == 200

    refused = {
        "used before": used,
        "another method": proof(KEY, "GET", API, token),
        "another URL": proof(KEY, "PUT", f"{API}8", token),
        "another token": proof(KEY, "PUT", API, "other"),
        "no token": proof(KEY, "PUT", API),
        "another key": proof(OTHER, "PUT", API, token),
        "not a proof": "x",
        "none": None,
    }
    for why, dpop in refused.items():
        answer = await asked(forwarded(token, dpop))
        assert answer.status_code == 401, why
        assert answer.headers["www-authenticate"].startswith("DPoP "), why
        assert "ES256" in answer.headers["www-authenticate"], why


async def test_a_bound_token_is_no_bearer_token_and_a_bearer_token_is_not_bound(
    node: RunningNode, worker: ClientProjection
) -> None:
    bound, bearer = await bound_token(node), (await ask(node)).json()["access_token"]
    for headers in (
        forwarded(bound, None, "Bearer"),
        forwarded(bound, proof(KEY, "PUT", API, bound), "Bearer"),
        forwarded(bearer, proof(KEY, "PUT", API, bearer)),
    ):
        answer = await node.http.get("/realms/acme/forward-auth", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    plain = await node.http.get("/realms/acme/forward-auth", headers=forwarded(bearer, None, "Bearer"))
    assert plain.status_code == 204


async def test_discovery_names_the_algorithms_of_proofs(node: RunningNode) -> None:
    metadata = (await node.http.get("/realms/acme/.well-known/oauth-authorization-server")).json()
    assert {"ES256", "EdDSA", "PS256"} <= set(metadata["dpop_signing_alg_values_supported"])
    assert not {"HS256", "none"} & set(metadata["dpop_signing_alg_values_supported"])


async def test_where_nonces_are_asked_for_a_proof_needs_a_fresh_one_and_nothing_is_used_up_without(
    filling: Filling, realm: RealmProjection, redis_url: str
) -> None:
    await filling.change(realm, client_of(realm, "signer", key=OTHER))
    signed = assertion(OTHER, "signer", "acme")
    async with (
        running_node(redis_url, dpop_nonces=True) as one,
        running_node(redis_url, dpop_nonces=True) as other,
    ):

        async def ask_with(node: RunningNode, **claims: Any) -> httpx.Response:
            form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
            return await node.token("acme", form, headers={"DPoP": proof(KEY, "POST", TOKEN_URL, **claims)})

        for claims in ({}, {"nonce": "made up"}, {"nonce": "1.00000000.AAAA"}):
            told = await ask_with(one, **claims)
            assert (told.status_code, told.json()["error"]) == (400, "use_dpop_nonce")
        nonce = told.headers["dpop-nonce"]
        one.clock.ahead = 4 * 60
        late = await ask_with(one, nonce=nonce)
        assert late.json()["error"] == "use_dpop_nonce"
        assert late.headers["dpop-nonce"] != nonce
        answer = await ask_with(other, nonce=nonce)
        assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP"), answer.text
        by_secret = await one.token("acme", {}, headers={"Authorization": basic("signer", "x")})
        assert by_secret.status_code == 401, "without a proof there is no nonce to ask for"
