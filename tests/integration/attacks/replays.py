"""Attacks by replay. Each first lets an honest request succeed, if it needs one."""

import uuid
from typing import Any

import httpx

from tests.integration.attacks import EndpointAttack, Send
from tests.testkit.attacked_node import OTHER_KEY, SECOND_KEY, SECRET, TOKEN, Scene, signed
from tests.testkit.nodes import ASSERTION_TYPE, assertion_claims, basic
from tests.testkit.secret_signing import sign_with_secret

_ONCE = "RFC 7523 3, 5; CVE-2020-5300: a jti is used once"
_ELSEWHERE = "RFC 7523 3: aud; RFC 8725 3.9"


async def _used(scene: Scene, assertion: str) -> str:
    answer = await scene.assert_as(assertion)
    assert answer.status_code == 200, answer.text
    return assertion


async def _introspect(scene: Scene, assertion: str) -> httpx.Response:
    form = {"token": "x", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return await scene.node.http.post(f"{TOKEN}/introspect", data=form)


async def _again(scene: Scene) -> httpx.Response:
    return await scene.assert_as(await _used(scene, signed()))


async def _again_with_client_id(scene: Scene) -> httpx.Response:
    return await scene.assert_as(await _used(scene, signed()), client_id="worker")


async def _again_for_another_scope(scene: Scene) -> httpx.Response:
    return await scene.assert_as(await _used(scene, signed()), scope="openid")


async def _again_at_introspection(scene: Scene) -> httpx.Response:
    return await _introspect(scene, await _used(scene, signed()))


async def _introspected_then_token(scene: Scene) -> httpx.Response:
    assertion = signed()
    assert (await _introspect(scene, assertion)).status_code == 200
    return await scene.assert_as(assertion)


async def _again_at_verify(scene: Scene) -> httpx.Response:
    body = {"tokens": ["x"], "client_assertion_type": ASSERTION_TYPE}
    assertion = await _used(scene, signed())
    return await scene.node.http.post("/realms/acme/verify", json={**body, "client_assertion": assertion})


async def _same_jti_in_a_new_assertion(scene: Scene) -> httpx.Response:
    jti = str(uuid.uuid4())
    await _used(scene, signed(jti=jti))
    return await scene.assert_as(signed(jti=jti, iat=assertion_claims("worker", "acme")["iat"] - 1))


async def _same_jti_under_another_key(scene: Scene) -> httpx.Response:
    jti = str(uuid.uuid4())
    await _used(scene, signed(jti=jti))
    return await scene.assert_as(signed(SECOND_KEY, jti=jti))


async def _same_jti_without_iat(scene: Scene) -> httpx.Response:
    jti = str(uuid.uuid4())
    await _used(scene, signed(jti=jti))
    return await scene.assert_as(signed(jti=jti, iat=None))


async def _after_a_refused_grant(scene: Scene) -> httpx.Response:
    """The client authenticated, so the assertion is used up although no token was issued."""
    assertion = signed()
    refused = await scene.assert_as(assertion, scope="more-than-it-may")
    assert refused.json()["error"] == "invalid_scope"
    return await scene.assert_as(assertion)


async def _in_the_twin_realm(scene: Scene) -> httpx.Response:
    return await scene.assert_as(await _used(scene, signed()), realm="twin")


async def _unused_in_the_twin_realm(scene: Scene) -> httpx.Response:
    return await scene.assert_as(signed(), realm="twin")


async def _mac_in_the_twin_realm(scene: Scene) -> httpx.Response:
    mac = sign_with_secret(SECRET, "HS256", assertion_claims("by-mac", "acme"))
    return await scene.assert_as(mac, realm="twin")


async def _secret_of_the_twin_realm(scene: Scene) -> httpx.Response:
    """The same client id and secret in both realms; only acme knows this one."""
    return await scene.by_secret("by-other-secret", SECRET, "twin")


async def _as_another_client(scene: Scene) -> httpx.Response:
    neighbours = signed(OTHER_KEY, iss="neighbour", sub="neighbour")
    return await scene.assert_as(neighbours, client_id="worker")


async def _realm_switched_off(scene: Scene) -> httpx.Response:
    return await scene.assert_as(signed(realm="off"), realm="off")


async def _access_token_as_assertion(scene: Scene) -> httpx.Response:
    return await scene.assert_as(await scene.access_token())


async def _single_use_twice(scene: Scene) -> httpx.Response:
    return await _verify_twice(scene, signed(aud="https://api"), audience="https://api")


async def _assertion_then_single_use(scene: Scene) -> httpx.Response:
    assertion = await _used(scene, signed())
    return await _verify(scene, assertion)


async def _single_use_then_assertion(scene: Scene) -> httpx.Response:
    assertion = signed()
    assert (await _verify(scene, assertion)).json()["results"][0]["active"]
    return await scene.assert_as(assertion)


async def _access_token_single_use_twice(scene: Scene) -> httpx.Response:
    return await _verify_twice(scene, await scene.access_token())


async def _verify(scene: Scene, token: str, **body: Any) -> httpx.Response:
    return await scene.node.http.post(
        "/realms/acme/verify",
        json={"tokens": [token], "single_use": True, **body},
        headers={"Authorization": basic("by-secret", SECRET)},
    )


async def _verify_twice(scene: Scene, token: str, **body: Any) -> httpx.Response:
    assert (await _verify(scene, token, **body)).json()["results"][0]["active"]
    return await _verify(scene, token, **body)


async def _the_same_twice_in_one_request(scene: Scene) -> httpx.Response:
    token = signed(aud="https://api")
    answer = await scene.node.http.post(
        "/realms/acme/verify",
        json={"tokens": [token, token], "single_use": True, "audience": "https://api"},
        headers={"Authorization": basic("by-secret", SECRET)},
    )
    assert sorted(result["active"] for result in answer.json()["results"]) == [False, True]
    return answer


def _case(
    name: str, source: str, send: Send, expected: str = "replayed", status: int = 401, *before: str
) -> EndpointAttack:
    return EndpointAttack(name, source, expected, send, status, frozenset(before))


def _jti(name: str, source: str, expected: str, jti: object) -> EndpointAttack:
    async def send(scene: Scene) -> httpx.Response:
        return await scene.assert_as(signed(jti=jti))

    return EndpointAttack(name, source, expected, send)


ATTACKS = [
    _case("the same assertion again", _ONCE, _again),
    _case("again, with client_id", _ONCE, _again_with_client_id),
    _case("again, for another scope", _ONCE, _again_for_another_scope),
    _case("again, at introspection", "Keycloak 30599; RFC 7523 3", _again_at_introspection),
    _case("introspection, then a token", _ONCE, _introspected_then_token, "replayed", 401, "malformed"),
    _case("again, to ask /verify", _ONCE, _again_at_verify),
    _case("a used jti in a new assertion", _ONCE, _same_jti_in_a_new_assertion),
    _case("a used jti under another key of the client", _ONCE, _same_jti_under_another_key),
    _case("a used jti without iat", _ONCE, _same_jti_without_iat),
    _case(
        "again, after a scope was refused", _ONCE, _after_a_refused_grant, "replayed", 401, "invalid_scope"
    ),
    _case("a token for single use twice", _ONCE, _single_use_twice, status=200),
    _case("a token twice in one request", _ONCE, _the_same_twice_in_one_request, status=200),
    _case("an access token for single use twice", _ONCE, _access_token_single_use_twice, status=200),
    _case("an assertion, then for single use", _ONCE, _assertion_then_single_use, status=200),
    _case("for single use, then as assertion", _ONCE, _single_use_then_assertion),
    _case("used here, then in the twin realm", _ELSEWHERE, _in_the_twin_realm, "wrong_audience"),
    _case("unused, in the twin realm", _ELSEWHERE, _unused_in_the_twin_realm, "wrong_audience"),
    _case("a MAC, in the twin realm", _ELSEWHERE, _mac_in_the_twin_realm, "wrong_audience"),
    _case("a secret of one realm in another", "RFC 6749 2.3", _secret_of_the_twin_realm, "unknown_client"),
    _case("a neighbour's assertion as the client", "RFC 7521 4.2", _as_another_client, "wrong_issuer"),
    _case("a realm that is switched off", "RFC 6749 5.2", _realm_switched_off, "unknown_realm", 404),
    _case(
        "an access token as assertion", "RFC 8725 3.11", _access_token_as_assertion, "authenticator_mismatch"
    ),
    _jti("no jti", "RFC 7523 3; OpenID Connect Core 9: jti is required", "missing_claim", None),
    _jti("jti empty", "OpenID Connect Core 9: jti is required", "missing_claim", ""),
    _jti("jti a number", "RFC 7519 4.1.7", "malformed", 1),
    _jti("jti an array", "RFC 7519 4.1.7", "malformed", ["a"]),
    _jti("jti null in an object", "RFC 7519 4.1.7", "malformed", {"a": None}),
    _jti("jti of 16 KiB", "CWE-770", "malformed", "j" * 16_384),
]
