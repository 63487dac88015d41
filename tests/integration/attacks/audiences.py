"""Attacks with audiences: assertions for others, or also for others."""

from typing import Any

from tests.integration.attacks import EndpointAttack
from tests.testkit.attacked_node import ISSUER, TOKEN, Scene, signed
from tests.testkit.nodes import BASE_URL

_AUDIENCE = "RFC 7523 3: aud is this server"
_ALSO = "CVE-2025-27370, CVE-2025-27371: what others accept too, they can use here"


def _for(
    name: str, source: str, audience: Any, expected: str = "wrong_audience", realm: str = "acme"
) -> EndpointAttack:
    async def send(scene: Scene) -> Any:
        return await scene.assert_as(signed(aud=audience), realm=realm)

    return EndpointAttack(name, source, expected, send)


OTHERS = [
    _for("no aud", _AUDIENCE, None, "missing_claim"),
    _for("aud empty", _AUDIENCE, ""),
    _for("aud an empty array", _AUDIENCE, []),
    _for("aud an array of an empty string", _AUDIENCE, [""]),
    _for("aud another server", _AUDIENCE, "https://login.example.test/realms/acme"),
    _for("aud another realm", _AUDIENCE, f"{BASE_URL}/realms/twin"),
    _for("aud another realm's token endpoint", _AUDIENCE, TOKEN.replace("acme", "twin")),
    _for("aud the host alone", _AUDIENCE, BASE_URL),
    _for("aud the issuer and a slash", "RFC 3986 6.2.1: compared as it is", f"{ISSUER}/"),
    _for("aud the issuer in upper case", "RFC 3986 6.2.1: compared as it is", ISSUER.upper()),
    _for("aud the issuer without TLS", "RFC 3986 6.2.1: compared as it is", ISSUER.replace("https", "http")),
    _for(
        "aud the issuer with its port",
        "RFC 3986 6.2.1: compared as it is",
        ISSUER.replace(".test", ".test:443"),
    ),
    _for("aud the issuer and a query", "RFC 3986 6.2.1: compared as it is", f"{ISSUER}?x"),
    _for("aud the issuer and a fragment", "RFC 3986 6.2.1: compared as it is", f"{ISSUER}#x"),
    _for(
        "aud the issuer with a dot segment", "RFC 3986 6.2.1: compared as it is", f"{BASE_URL}/realms/./acme"
    ),
    _for("aud a longer path", "CWE-1289: a prefix is not a match", f"{ISSUER}.attacker.test"),
    _for("aud a part of the issuer", "CWE-1289: a prefix is not a match", ISSUER[:-1]),
    _for("aud the client", _AUDIENCE, "worker"),
    _for("aud an API", _AUDIENCE, "https://api"),
    _for("aud the key set", _AUDIENCE, f"{ISSUER}/protocol/openid-connect/certs"),
    _for("aud a number", "RFC 7519 4.1.3", 1, "malformed"),
    _for("aud true", "RFC 7519 4.1.3", True, "malformed"),
    _for("aud an object", "RFC 7519 4.1.3", {"0": ISSUER}, "malformed"),
    _for("aud an array in an array", "RFC 7519 4.1.3", [[ISSUER]], "malformed"),
]

ARRAYS = [
    _for("aud here and an attacker", _ALSO, [ISSUER, "https://attacker.test"]),
    _for("aud an attacker and here", _ALSO, ["https://attacker.test", ISSUER]),
    _for("aud here and the twin realm", _ALSO, [ISSUER, f"{BASE_URL}/realms/twin"]),
    _for("aud here and an API", _ALSO, [ISSUER, "https://api"]),
    _for("aud here and the client", _ALSO, [ISSUER, "worker"]),
    _for("aud here and an empty string", _ALSO, [ISSUER, ""]),
    _for("aud here and a number", "RFC 7519 4.1.3; CVE-2020-26160", [ISSUER, 1], "malformed"),
    _for(
        "aud here among a thousand", _ALSO, [ISSUER, *(f"https://{n}.test" for n in range(1000))], "malformed"
    ),
    _for("aud a hundred others and here", _ALSO, [*(f"https://{n}.test" for n in range(100)), ISSUER]),
]

_STRICT = f"{BASE_URL}/realms/strict"

STRICT = [
    _for(
        "aud the token endpoint where only the issuer will do",
        "draft-ietf-oauth-rfc7523bis: the issuer alone",
        f"{_STRICT}/protocol/openid-connect/token",
        realm="strict",
    ),
    _for(
        "aud the issuer and the token endpoint where only the issuer will do",
        "draft-ietf-oauth-rfc7523bis: one audience",
        [_STRICT, f"{_STRICT}/protocol/openid-connect/token"],
        realm="strict",
    ),
]

ATTACKS = [*OTHERS, *ARRAYS, *STRICT]
