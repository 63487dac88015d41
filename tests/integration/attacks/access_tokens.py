"""Access tokens from elsewhere or for another purpose, presented to endpoints that check them."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from keyturn_shared.jose import base64url
from keyturn_shared.jose.signing import SigningKey
from tests.integration.attacks import EndpointAttack
from tests.testkit.attacked_node import (
    ISSUER,
    KEY,
    OTHER_SECRET,
    REALM_KEY,
    SECRET,
    TOKEN,
    TWIN_KEY,
    Scene,
    signed,
)
from tests.testkit.nodes import basic

Ask = Callable[[Scene, str], Awaitable[httpx.Response]]

_TYPE: Final = "RFC 9068 4; RFC 8725 3.11: typ is at+jwt"
_ISSUED: Final = "RFC 9068 4: issued and signed by the realm"


async def _introspect(scene: Scene, token: str) -> httpx.Response:
    header = {"Authorization": basic("by-secret", SECRET)}
    answer = await scene.node.http.post(f"{TOKEN}/introspect", data={"token": token}, headers=header)
    assert answer.json() == {"active": False}
    return answer


async def _forward(scene: Scene, token: str, query: str = "") -> httpx.Response:
    header = {"Authorization": f"Bearer {token}"}
    return await scene.node.http.get(f"/realms/acme/forward-auth{query}", headers=header)


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "sub": "by-secret",
        "client_id": "by-secret",
        "aud": "https://api",
        "iat": now,
        "exp": now + 300,
        "jti": "j",
        "scope": "read admin",
        **changes,
    }


def _forged(
    name: str, source: str, expected: str, *, key: SigningKey = REALM_KEY, header: Any = None, **claims: Any
) -> list[EndpointAttack]:
    """Present one token to introspection and the gateway's endpoint."""

    def make() -> str:
        return signed(key, header={"typ": "at+jwt", **(header or {})}, **_claims(**claims))

    async def introspected(scene: Scene) -> httpx.Response:
        return await _introspect(scene, make())

    async def forwarded(scene: Scene) -> httpx.Response:
        return await _forward(scene, make())

    return [
        EndpointAttack(f"{name}, introspected", source, expected, introspected, 200),
        EndpointAttack(f"{name}, at the gateway", source, expected, forwarded),
    ]


def _changed(name: str, source: str, expected: str, change: Callable[[str], str]) -> EndpointAttack:
    """Present a changed valid access token."""

    async def send(scene: Scene) -> httpx.Response:
        return await _forward(scene, change(await scene.access_token()))

    return EndpointAttack(name, source, expected, send)


def _none(token: str) -> str:
    header = base64url.encode_text(b'{"alg":"none","typ":"at+jwt"}')
    return ".".join((header, token.split(".")[1], ""))


def _other_payload(token: str) -> str:
    first, payload, signature = token.split(".")
    raised = base64url.decode_text(payload).replace(b'"scope":"read"', b'"scope":"admin"')
    return ".".join((first, base64url.encode_text(raised), signature))


def _asked(name: str, source: str, expected: str, status: int, query: str) -> EndpointAttack:
    async def send(scene: Scene) -> httpx.Response:
        return await _forward(scene, await scene.access_token(), query)

    return EndpointAttack(name, source, expected, send, status)


async def _of_the_twin(scene: Scene) -> httpx.Response:
    return await _forward(scene, await scene.access_token(realm="twin"))


async def _client_signed_scope(scene: Scene) -> httpx.Response:
    """A client can write any scope into its own token: it counts for nothing."""
    return await _forward(
        scene, signed(aud="https://api", scope="admin"), "?audience=https://api&scope=admin"
    )


async def _assertion_without_audience(scene: Scene) -> httpx.Response:
    return await _forward(scene, signed(aud="https://attacker.test"))


async def _two_headers(scene: Scene) -> httpx.Response:
    token = await scene.access_token()
    headers = [("authorization", f"Bearer {token}"), ("authorization", "Bearer x")]
    return await scene.node.http.get("/realms/acme/forward-auth", headers=headers)


async def _asked_by_another(scene: Scene) -> httpx.Response:
    """A token for an API, introspected by an unrelated client."""
    header = {"Authorization": basic("by-other-secret", OTHER_SECRET)}
    token = await scene.access_token()
    answer = await scene.node.http.post(f"{TOKEN}/introspect", data={"token": token}, headers=header)
    assert answer.json() == {"active": False}
    return answer


async def _bearer_of_a_client(scene: Scene) -> httpx.Response:
    """A client-signed token does not authenticate a caller of introspection."""
    headers = {"Authorization": f"Bearer {signed()}"}
    return await scene.node.http.post(f"{TOKEN}/introspect", data={"token": "x"}, headers=headers)


ATTACKS = [
    *_forged("a client's own key", _ISSUED, "unknown_kid", key=KEY),
    *_forged(
        "a client's own key under the realm's kid",
        _ISSUED,
        "bad_signature",
        key=KEY,
        header={"kid": "realm-1"},
    ),
    *_forged("the twin realm's key under the same kid", _ISSUED, "bad_signature", key=TWIN_KEY),
    *_forged("typ JWT", _TYPE, "malformed", header={"typ": "JWT"}),
    *_forged("no typ", _TYPE, "malformed", header={"typ": None}),
    *_forged("typ of a logout token", _TYPE, "malformed", header={"typ": "logout+jwt"}),
    *_forged("expired", "RFC 9068 4", "expired", iat=1, exp=2),
    *_forged("not yet valid", "RFC 7519 4.1.5", "not_yet_valid", nbf=int(time.time()) + 3600),
    *_forged("no exp", "RFC 9068 2.2", "missing_claim", exp=None),
    *_forged("no client_id", "RFC 9068 2.2", "missing_claim", client_id=None),
    *_forged("a client that is gone", "RFC 7662 2.2: not active", "unknown_client", client_id="gone"),
    *_forged(
        "a client that is switched off", "RFC 7662 2.2: not active", "client_disabled", client_id="disabled"
    ),
    *_forged("alg HS256", "RFC 8725 2.1", "algorithm_not_allowed", header={"alg": "HS256"}),
    _changed("alg none", "RFC 8725 3.2; CVE-2015-2951", "algorithm_not_allowed", _none),
    _changed("another scope under the same signature", "RFC 7515 5.2", "bad_signature", _other_payload),
    _changed(
        "the signature cut off", "RFC 7515 5.2", "bad_signature", lambda token: token.rpartition(".")[0] + "."
    ),
    _changed("a line break behind it", "RFC 7515 2", "malformed", lambda token: f"{token}%0a"),
    _asked("for another audience", "RFC 9068 4", "wrong_audience", 401, "?audience=https://other"),
    _asked("without a scope the gateway wants", "RFC 6750 3.1", "insufficient_scope", 403, "?scope=write"),
    _asked("with one of two scopes", "RFC 6750 3.1", "insufficient_scope", 403, "?scope=read%20write"),
    EndpointAttack("the twin realm's token", _ISSUED, "unknown_client", _of_the_twin),
    EndpointAttack(
        "a scope the client wrote", "RFC 8725 3.8", "insufficient_scope", _client_signed_scope, 403
    ),
    EndpointAttack(
        "a token for somebody else", "RFC 8725 3.9", "wrong_audience", _assertion_without_audience
    ),
    EndpointAttack("two tokens", "RFC 9110 5.3; RFC 6750 2", "invalid_request", _two_headers, 400),
    EndpointAttack(
        "another client's token, introspected",
        "RFC 9701 5; CVE-2026-37979",
        "wrong_audience",
        _asked_by_another,
        200,
    ),
    EndpointAttack("a client's token as the caller's", _TYPE, "unknown_kid", _bearer_of_a_client),
]
