"""A node with the keys of one realm serves it like any node, and knows no other realm."""

import json
from typing import Any

import httpx
import jwt
import pytest
from jwt import PyJWKSet

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.tokens.revocation import REVOCATIONS_PATH, TokenToRevoke, seal_revocation
from keyturn_shared.projection import token_digest
from keyturn_shared.realm_rings import LimitedRings
from tests.integration.limited_nodes.scene import SECRET, Limited
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL
from tests.testkit.dpop import proof
from tests.testkit.nodes import (
    ASSERTION_TYPE,
    RunningNode,
    assertion_claims,
    basic,
    secret_assertion,
)

METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt")
TOKEN_URL = f"{BASE_URL}/realms/acme/protocol/openid-connect/token"
DPOP_KEY = SigningKey.generate()


async def ask(node: RunningNode, realm: str, method: str, key: SigningKey) -> httpx.Response:
    audience = f"{BASE_URL}/realms/{realm}"
    match method:
        case "client_secret_basic":
            return await node.token_by_secret(realm, "by-secret", SECRET)
        case "client_secret_post":
            return await node.token(realm, {"client_id": "by-secret", "client_secret": SECRET})
        case "client_secret_jwt":
            return await node.token_by_assertion(
                realm, secret_assertion(SECRET, "by-secret-jwt", realm, aud=audience)
            )
        case _:
            claims = assertion_claims("by-key", realm, aud=audience)
            return await node.token_by_assertion(realm, key.sign_compact(key.header_segment(), claims))


@pytest.mark.parametrize("method", METHODS)
async def test_every_method_works_on_both_nodes_and_each_takes_the_others_tokens(
    scene: Limited, method: str
) -> None:
    for one, other in ((scene.limited, scene.full), (scene.full, scene.limited)):
        answer = await ask(one, "acme", method, scene.key)
        assert answer.status_code == 200, answer.text
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await other.http.get("/realms/acme/forward-auth", headers=bearer)).status_code == 204


async def test_a_wrong_secret_is_refused_as_on_any_node(scene: Limited) -> None:
    for node in (scene.limited, scene.full):
        for client_id in ("by-secret", "nobody"):
            refused = await node.token_by_secret("acme", client_id, "a guess")
            assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("realm", ["beta", "master", "none"])
async def test_another_realm_is_answered_as_one_that_there_is_not(scene: Limited, realm: str) -> None:
    """Also for its own clients, for administrators, and with a valid token of it."""
    protocol = f"/realms/{realm}/protocol/openid-connect"
    headers = {"Authorization": basic("by-secret", SECRET)}
    if realm == "master":
        headers = {"Authorization": basic(ADMIN_ID, ADMIN_SECRET)}
    form: dict[str, Any] = {"grant_type": "client_credentials", "token": "x"}
    for method, path in (
        ("POST", f"{protocol}/token"),
        ("POST", f"{protocol}/token/introspect"),
        ("POST", f"{protocol}/revoke"),
        ("GET", f"{protocol}/certs"),
        ("GET", f"/realms/{realm}/.well-known/openid-configuration"),
    ):
        data = form if method == "POST" else None
        answer = await scene.limited.http.request(method, path, data=data, headers=headers)
        assert answer.status_code == 404, (path, answer.text)
        unknown = await scene.full.http.request(
            method, path.replace(f"/{realm}/", "/unknown/"), data=data, headers=headers
        )
        assert (answer.status_code, answer.text) == (unknown.status_code, unknown.text)
    if realm == "beta":
        token = (await scene.full.token_by_secret("beta", "by-secret", SECRET)).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await scene.full.http.get("/realms/beta/forward-auth", headers=bearer)).status_code == 204
        refused = await scene.limited.http.get("/realms/beta/forward-auth", headers=bearer)
        assert refused.status_code not in (200, 204)


async def test_it_follows_changes_of_its_realm_and_of_others_and_counts_in_waits(scene: Limited) -> None:
    uuid = (await scene.api.call("GET", "/acme/clients?clientId=by-secret")).json()[0]["id"]
    for realm in ("acme", "beta"):
        changed = await scene.change("POST", f"/{realm}/clients", json={"clientId": "new"})
        assert "applied=2" in changed.headers["keyturn-fleet"], changed.headers
    regenerated = await scene.change("POST", f"/acme/clients/{uuid}/client-secret")
    secret = regenerated.json()["value"]
    for node in (scene.limited, scene.full):
        assert (await node.token_by_secret("acme", "by-secret", SECRET)).status_code == 401
        assert (await node.token_by_secret("acme", "by-secret", secret)).status_code == 200


async def test_a_realm_that_is_renamed_keeps_its_keys(scene: Limited) -> None:
    await scene.change("PUT", "/acme", json={"realm": "renamed"})
    assert (await scene.limited.token_by_secret("renamed", "by-secret", SECRET)).status_code == 200
    await scene.change("PUT", "/beta", json={"realm": "acme"})
    assert (await scene.limited.token_by_secret("acme", "by-secret", SECRET)).status_code == 404


async def test_keys_that_rotate_reach_it(scene: Limited) -> None:
    await scene.change("POST", "/acme/keys/rotate?revoke=true")
    answer = await ask(scene.limited, "acme", "client_secret_basic", scene.key)
    assert answer.status_code == 200, answer.text
    certs = await scene.full.http.get("/realms/acme/protocol/openid-connect/certs")
    token = answer.json()["access_token"]
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(each for each in PyJWKSet.from_dict(certs.json()).keys if each.key_id == kid)
    assert jwt.decode(token, key, algorithms=["ES256"], options={"verify_aud": False})["client_id"]


async def test_what_introspection_signs_holds_with_the_realms_keys(scene: Limited) -> None:
    token = (await scene.full.token_by_secret("acme", "by-secret", SECRET)).json()["access_token"]
    headers = {"Authorization": basic("by-secret", SECRET)}
    headers["Accept"] = "application/token-introspection+jwt"
    answer = await scene.limited.http.post(
        "/realms/acme/protocol/openid-connect/token/introspect", data={"token": token}, headers=headers
    )
    certs = (await scene.full.http.get("/realms/acme/protocol/openid-connect/certs")).json()
    kid = jwt.get_unverified_header(answer.text)["kid"]
    key = next(each for each in PyJWKSet.from_dict(certs).keys if each.key_id == kid)
    claims = jwt.decode(answer.text, key, algorithms=["ES256"], audience="by-secret")
    assert claims["token_introspection"]["active"] is True


async def test_a_nonce_of_either_node_is_good_at_the_other(scene: Limited) -> None:
    async def with_proof(node: RunningNode, **claims: Any) -> httpx.Response:
        headers = {"Authorization": basic("by-secret", SECRET)}
        headers["DPoP"] = proof(DPOP_KEY, "POST", TOKEN_URL, **claims)
        return await node.token("acme", {}, headers=headers)

    for one, other in ((scene.limited, scene.full), (scene.full, scene.limited)):
        told = await with_proof(one)
        assert (told.status_code, told.json()["error"]) == (400, "use_dpop_nonce")
        answer = await with_proof(other, nonce=told.headers["dpop-nonce"])
        assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP"), answer.text


async def test_an_assertion_that_one_node_took_the_other_refuses(scene: Limited) -> None:
    claims = assertion_claims("by-key", "acme", aud=f"{BASE_URL}/realms/acme")
    signed = scene.key.sign_compact(scene.key.header_segment(), claims)
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    assert (await scene.limited.token("acme", form)).status_code == 200
    assert (await scene.full.token("acme", form)).status_code == 401


async def test_its_clients_revoke_tokens_through_it(scene: Limited) -> None:
    token = (await scene.limited.token_by_secret("acme", "by-secret", SECRET)).json()["access_token"]
    revoked = await scene.limited.http.post(
        "/realms/acme/protocol/openid-connect/revoke",
        data={"token": token},
        headers={"Authorization": basic("by-secret", SECRET), "Prefer": "wait=30"},
    )
    assert (revoked.status_code, revoked.headers.get("preference-applied")) == (200, "wait"), revoked.text
    bearer = {"Authorization": f"Bearer {token}"}
    for node in (scene.limited, scene.full):
        assert (await node.http.get("/realms/acme/forward-auth", headers=bearer)).status_code == 401


async def test_with_the_keys_of_one_realm_no_token_of_another_is_revoked(scene: Limited) -> None:
    """The origin that the request names does not matter."""
    issued = (await scene.full.token_by_secret("beta", "by-secret", SECRET)).json()["access_token"]
    claims = jwt.decode(issued, options={"verify_signature": False})
    uuid = (await scene.api.call("GET", "/beta/clients?clientId=by-secret")).json()[0]["id"]
    token = TokenToRevoke(
        realm="beta",
        client_uuid=uuid,
        client_id="by-secret",
        digest=token_digest(claims["jti"]),
        expires_at=claims["exp"],
        realm_id=scene.ids["acme"],
    )
    sealed = seal_revocation(token, LimitedRings.from_text(scene.realm_keys))
    bare = sealed.partition(":")[2]
    for body in (sealed, bare, f"{scene.ids['beta']}:{bare}", f"{json.dumps('beta')}:{bare}"):
        answer = await scene.api.http.post(REVOCATIONS_PATH, content=body.encode())
        assert answer.status_code in (200, 403), answer.text
        assert "keyturn-sequence" not in answer.headers
    bearer = {"Authorization": f"Bearer {issued}"}
    assert (await scene.full.http.get("/realms/beta/forward-auth", headers=bearer)).status_code == 204
