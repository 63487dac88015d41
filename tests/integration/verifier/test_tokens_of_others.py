"""Introspection, ``/verify`` and ``/forward-auth``: tokens presented by others."""

from typing import Any

import httpx
import jwt
import msgspec
import pytest
from jwt import PyJWKSet

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import ClientProjection, RealmProjection
from tests.testkit.filled_redis import Filling, client_of, projected_key, realm_of
from tests.testkit.nodes import (
    BASE_URL,
    RunningNode,
    assertion,
    assertion_claims,
    basic,
    eventually,
)

SECRET = "a secret of the worker"
KEY = SigningKey.generate()


@pytest.fixture
async def worker(filling: Filling, realm: RealmProjection) -> ClientProjection:
    client = client_of(realm, "worker", secret=SECRET, default_scopes=("read",), audiences=("https://api",))
    await filling.change(realm, client)
    return client


@pytest.fixture
async def signer(filling: Filling, realm: RealmProjection) -> ClientProjection:
    client = client_of(realm, "signer", key=KEY)
    await filling.change(realm, client)
    return client


async def access_token(node: RunningNode, realm: str = "acme", client_id: str = "worker") -> str:
    answer = await node.token_by_secret(realm, client_id, SECRET)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def introspect(node: RunningNode, token: str, **headers: str) -> httpx.Response:
    return await node.http.post(
        "/realms/acme/protocol/openid-connect/token/introspect",
        data={"token": token, "token_type_hint": "access_token"},
        headers=headers or {"Authorization": basic("worker", SECRET)},
    )


async def verify(node: RunningNode, tokens: list[str], **body: Any) -> list[dict[str, Any]]:
    answer = await node.http.post(
        "/realms/acme/verify",
        json={"tokens": tokens, **body},
        headers={"Authorization": basic("worker", SECRET)},
    )
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def test_introspection_tells_what_a_token_is_good_for(
    node: RunningNode, worker: ClientProjection
) -> None:
    token = await access_token(node)
    answer = await introspect(node, token)
    told = answer.json()
    assert (told["active"], told["client_id"], told["scope"]) == (True, "worker", "read")
    assert (told["token_type"], told["aud"]) == ("Bearer", "https://api")
    assert answer.headers["cache-control"] == "no-store"
    by_token = await introspect(node, token, Authorization=f"Bearer {token}")
    assert by_token.json()["active"]


async def test_introspection_says_no_more_of_a_bad_token_than_that_it_is_not_active(
    node: RunningNode, worker: ClientProjection, signer: ClientProjection
) -> None:
    token = await access_token(node)
    for bad in ("x", token[:-4] + "AAAA", assertion(KEY, "signer", "acme")):
        answer = await introspect(node, bad)
        assert (answer.status_code, answer.json()) == (200, {"active": False})
    node.clock.ahead = 300 + 16
    assert (await introspect(node, token)).json() == {"active": False}


async def test_introspection_answers_are_signed_for_the_caller_that_asks_for_it(
    node: RunningNode, worker: ClientProjection
) -> None:
    """RFC 9701."""
    token = await access_token(node)
    headers = {"Authorization": basic("worker", SECRET), "Accept": "application/token-introspection+jwt"}
    keys = PyJWKSet.from_dict((await node.http.get("/realms/acme/protocol/openid-connect/certs")).json())
    for asked, active in ((token, True), ("x", False)):
        answer = await introspect(node, asked, **headers)
        assert answer.headers["content-type"] == "application/token-introspection+jwt"
        header = jwt.get_unverified_header(answer.text)
        assert header["typ"] == "token-introspection+jwt"
        claims = jwt.decode(answer.text, keys[header["kid"]], algorithms=["ES256"], audience="worker")
        assert claims["iss"] == f"{BASE_URL}/realms/acme"
        assert claims["token_introspection"]["active"] is active
        assert "sub" not in claims, "no access token (RFC 9701 section 8.1)"
        assert "exp" not in claims, "no access token (RFC 9701 section 8.1)"
    plain = await introspect(node, token, **(headers | {"Accept": "application/json, */*;q=0.1"}))
    assert plain.json()["active"]
    assert (await introspect(node, answer.text)).json() == {"active": False}


async def test_introspection_with_a_token_and_a_secret_is_two_methods(
    node: RunningNode, worker: ClientProjection
) -> None:
    token = await access_token(node)
    answer = await node.http.post(
        "/realms/acme/protocol/openid-connect/token/introspect",
        data={"token": token, "client_id": "worker", "client_secret": SECRET},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_introspection_is_for_clients_only(node: RunningNode, worker: ClientProjection) -> None:
    token = await access_token(node)
    wrong = await introspect(node, token, Authorization=basic("worker", "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    forged = await introspect(node, token, Authorization="Bearer x")
    assert forged.status_code == 401
    nothing = await node.http.post(
        "/realms/acme/protocol/openid-connect/token/introspect",
        data={},
        headers={"Authorization": basic("worker", SECRET)},
    )
    assert (nothing.status_code, nothing.json()["error"]) == (400, "invalid_request")


async def test_an_access_token_ends_with_its_client(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection
) -> None:
    other = client_of(realm, "other", secret=SECRET)
    await filling.change(realm, other)
    token = await access_token(node, client_id="other")
    assert (await introspect(node, token)).json()["active"]
    await filling.delete(realm, other)

    async def ended() -> bool:
        return not (await introspect(node, token)).json()["active"]

    await eventually(ended)


async def test_verify_answers_for_each_token_in_order_with_its_reason(
    node: RunningNode, worker: ClientProjection, signer: ClientProjection
) -> None:
    token = await access_token(node)
    unknown = SigningKey.generate()
    results = await verify(
        node,
        [
            token,
            assertion(KEY, "signer", "acme"),
            "junk",
            assertion(unknown, "signer", "acme"),
            assertion(SigningKey(unknown._private_key, "ES256", kid=KEY.kid), "signer", "acme"),
            assertion(KEY, "nobody", "acme"),
            assertion(KEY, "signer", "acme", aud="https://elsewhere"),
            assertion(KEY, "signer", "acme", exp=1000),
            assertion(KEY, "signer", "acme", sub="worker"),
        ],
    )
    assert [each.get("error", each.get("client_id")) for each in results] == [
        "worker",
        "signer",
        "malformed",
        "unknown_kid",
        "bad_signature",
        "unknown_client",
        "wrong_audience",
        "expired",
        "wrong_issuer",
    ]
    assert results[0]["claims"]["scope"] == "read"


async def test_verify_checks_the_audience_that_the_caller_is(
    node: RunningNode, worker: ClientProjection, signer: ClientProjection
) -> None:
    tokens = [await access_token(node), assertion(KEY, "signer", "acme", aud="https://api")]
    right = await verify(node, tokens, audience="https://api")
    wrong = await verify(node, tokens, audience="https://other")
    assert [each["active"] for each in right] == [True, True]
    assert [each.get("error") for each in wrong] == ["wrong_audience", "wrong_audience"]


async def test_a_single_use_token_holds_once_also_within_one_request(
    node: RunningNode, worker: ClientProjection, signer: ClientProjection
) -> None:
    token = assertion(KEY, "signer", "acme")
    results = await verify(node, [token, token], single_use=True)
    assert [each.get("error") for each in results] == [None, "replayed"]
    again = await verify(node, [token, assertion(KEY, "signer", "acme", jti=None)], single_use=True)
    assert [each.get("error") for each in again] == ["replayed", "missing_claim"]


async def test_a_thousand_tokens_go_into_one_request_and_no_more(
    node: RunningNode, worker: ClientProjection, signer: ClientProjection
) -> None:
    token = assertion(KEY, "signer", "acme")
    assert [each["active"] for each in await verify(node, [token] * 1000)] == [True] * 1000
    header = {"Authorization": basic("worker", SECRET)}
    bodies: list[Any] = [{"tokens": [token] * 1001}, {"tokens": []}, {"tokens": "x"}, [], {"tokens": [1]}]
    for body in bodies:
        answer = await node.http.post("/realms/acme/verify", json=body, headers=header)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_verify_takes_the_callers_credentials_in_the_body_too(
    node: RunningNode, worker: ClientProjection, signer: ClientProjection
) -> None:
    token = assertion(KEY, "signer", "acme")
    posted = {"tokens": [token], "client_id": "worker", "client_secret": SECRET}
    assert (await node.http.post("/realms/acme/verify", json=posted)).json()["results"][0]["active"]
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    signed = {"tokens": [token], "client_assertion_type": kind, "client_assertion": token}
    assert (await node.http.post("/realms/acme/verify", json=signed)).status_code == 200
    assert (await node.http.post("/realms/acme/verify", json=signed)).status_code == 401
    assert (await node.http.post("/realms/acme/verify", json={"tokens": [token]})).status_code == 401


async def test_a_token_of_one_realm_is_nothing_in_another(
    node: RunningNode, filling: Filling, worker: ClientProjection
) -> None:
    """Even if the other realm has the same client and the very same key id."""
    twin_key = SigningKey.generate(kid="same")
    other = realm_of("other", signing_keys=(projected_key(twin_key),))
    await filling.rotate(other)
    await filling.change(other, client_of(other, "worker", secret=SECRET))
    foreign = await access_token(node, "other")
    assert [each.get("error") for each in await verify(node, [foreign])] == ["unknown_client"]
    claims = {
        **assertion_claims("worker", "acme", iss=f"{BASE_URL}/realms/acme"),
        "client_id": "worker",
    }
    forged = twin_key.sign_compact(twin_key.header_segment("at+jwt"), claims)
    assert [each.get("error") for each in await verify(node, [forged])] == ["unknown_kid"]


async def test_an_access_token_needs_its_type(
    node: RunningNode, filling: Filling, worker: ClientProjection
) -> None:
    key = SigningKey.generate()
    await filling.rotate(realm_of("acme", signing_keys=(projected_key(key),)))
    claims = {
        **assertion_claims("worker", "acme", iss=f"{BASE_URL}/realms/acme"),
        "client_id": "worker",
    }
    tokens = [key.sign_compact(key.header_segment(typ), claims) for typ in ("JWT", "at+jwt")]
    assert [each.get("error") for each in await verify(node, tokens)] == ["malformed", None]


async def test_forward_auth_lets_pass_whom_it_names(
    node: RunningNode, worker: ClientProjection, signer: ClientProjection
) -> None:
    token = await access_token(node)
    url = "/realms/acme/forward-auth"
    passed = await node.http.get(url, headers={"Authorization": f"Bearer {token}"})
    assert (passed.status_code, passed.headers["x-keyturn-client"]) == (204, "worker")
    assert passed.headers["x-keyturn-scope"] == "read"
    signed = await node.http.get(
        url, headers={"Authorization": f"bearer {assertion(KEY, 'signer', 'acme', scope='admin')}"}
    )
    assert (signed.status_code, signed.headers["x-keyturn-client"]) == (204, "signer")
    assert signed.headers["x-keyturn-scope"] == ""
    envoy = await node.http.put(f"{url}/any/path?x=1", headers={"Authorization": f"Bearer {token}"})
    assert envoy.status_code == 200


async def test_forward_auth_stops_everybody_else(node: RunningNode, worker: ClientProjection) -> None:
    token = await access_token(node)
    url = "/realms/acme/forward-auth"
    nobody = await node.http.get(url)
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="acme"')
    forged = await node.http.get(url, headers={"Authorization": "Bearer x"})
    assert forged.status_code == 401
    assert 'error="invalid_token"' in forged.headers["www-authenticate"]
    header = {"Authorization": f"Bearer {token}"}
    for query, status in [
        ("audience=https://api", 204),
        ("audience=https://other", 401),
        ("scope=read", 204),
        ("scope=read%20write", 403),
    ]:
        assert (await node.http.get(f"{url}?{query}", headers=header)).status_code == status, query
    twice = await node.http.get(url, headers=[("Authorization", f"Bearer {token}")] * 2)
    assert twice.status_code == 400


async def test_discovery_and_certs_can_be_cached_and_name_what_is_there(node: RunningNode) -> None:
    documents = [
        (await node.http.get(f"/realms/acme/.well-known/{name}")).json()
        for name in ("openid-configuration", "oauth-authorization-server")
    ]
    assert documents[0] == documents[1]
    assert documents[0]["issuer"] == f"{BASE_URL}/realms/acme"
    for name in ("token_endpoint", "introspection_endpoint", "jwks_uri"):
        path = documents[0][name].removeprefix(BASE_URL)
        assert (await node.http.request("GET" if name == "jwks_uri" else "POST", path)).status_code != 404
    certs = await node.http.get("/realms/acme/protocol/openid-connect/certs")
    assert certs.headers["cache-control"] == "public, max-age=60"
    assert all("d" not in key for key in certs.json()["keys"])
    again = await node.http.get(
        "/realms/acme/protocol/openid-connect/certs", headers={"If-None-Match": certs.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert (await node.http.get("/realms/nowhere/protocol/openid-connect/certs")).status_code == 404


@pytest.mark.parametrize("other", ["client-secret", "client-x509"])
async def test_a_key_the_client_does_not_go_by_any_more_vouches_for_nothing(
    node: RunningNode,
    filling: Filling,
    realm: RealmProjection,
    worker: ClientProjection,
    signer: ClientProjection,
    other: Any,
) -> None:
    """The key stays configured, and may be why the client was switched; the token endpoint refuses it too."""
    [result] = await verify(node, [assertion(KEY, "signer", "acme")])
    assert result["active"]
    switched = msgspec.structs.replace(signer, authenticator=other)
    sequence = await filling.change(realm, switched)
    await eventually(lambda: _is_safe(filling, sequence))
    [result] = await verify(node, [assertion(KEY, "signer", "acme")])
    assert result == {"active": False, "error": "authenticator_mismatch"}
    bearer = {"Authorization": f"Bearer {assertion(KEY, 'signer', 'acme')}"}
    assert (await node.http.get("/realms/acme/forward-auth", headers=bearer)).status_code == 401


async def _is_safe(filling: Filling, sequence: int) -> bool:
    return (await filling.summary(sequence)).safe
