"""Attacks with identities: mismatched issuer, subject and ``client_id``, and clients without permission."""

from typing import Any

from keyturn_shared.jose.signing import SigningKey
from tests.integration.attacks import EndpointAttack
from tests.testkit.attacked_node import ISSUER, KEY, OTHER_KEY, REALM_KEY, Scene, signed

_ISSUER = "RFC 7523 3: iss and sub are the client"
_KEY = "RFC 7515 5.2; RFC 8725 3.8: the key is the issuer's"
_NAME = "RFC 7519 4.1.2: names are compared as they are"


def _claimed(
    name: str,
    source: str,
    expected: str,
    *,
    key: SigningKey = KEY,
    header: dict[str, Any] | None = None,
    form: dict[str, Any] | None = None,
    **claims: Any,
) -> EndpointAttack:
    async def send(scene: Scene) -> Any:
        return await scene.assert_as(signed(key, header=header, **claims), **(form or {}))

    return EndpointAttack(name, source, expected, send)


def _named(name: str, client_id: str) -> EndpointAttack:
    return _claimed(name, _NAME, "unknown_client", iss=client_id, sub=client_id)


MIXED = [
    _claimed("iss another client", _ISSUER, "wrong_issuer", iss="neighbour"),
    _claimed("iss nobody", _ISSUER, "wrong_issuer", iss="nobody"),
    _claimed("iss the realm", _ISSUER, "wrong_issuer", iss=ISSUER),
    _claimed(
        "iss the token endpoint", _ISSUER, "wrong_issuer", iss=f"{ISSUER}/protocol/openid-connect/token"
    ),
    _claimed("iss in another case", _ISSUER, "wrong_issuer", iss="Worker"),
    _claimed("iss with a space", _ISSUER, "wrong_issuer", iss="worker "),
    _claimed("iss empty", _ISSUER, "wrong_issuer", iss=""),
    _claimed("no iss", _ISSUER, "wrong_issuer", iss=None),
    _claimed("no sub", "RFC 7523 3: sub is required", "malformed", sub=None),
    _claimed("sub empty", "RFC 7523 3: sub is required", "malformed", sub=""),
    _claimed("neither iss nor sub", "RFC 7523 3", "malformed", iss=None, sub=None),
    _claimed("no sub, but client_id", "RFC 7523 3", "malformed", sub=None, form={"client_id": "worker"}),
    _claimed("client_id of another client", "RFC 7521 4.2", "wrong_issuer", form={"client_id": "neighbour"}),
    _claimed("client_id in another case", "RFC 7521 4.2", "wrong_issuer", form={"client_id": "WORKER"}),
    _claimed("iss an array with the client", "RFC 7519 4.1.1; CVE-2024-53861", "malformed", iss=["worker"]),
    _claimed("sub an array with the client", "RFC 7519 4.1.2", "malformed", sub=["worker"]),
    _claimed("sub an object", "RFC 7519 4.1.2: operator injection", "malformed", sub={"$ne": ""}),
]

IMPOSTORS = [
    _claimed("sub the neighbour, the own key", _KEY, "unknown_kid", iss="neighbour", sub="neighbour"),
    _claimed("sub the neighbour, iss the client", _KEY, "unknown_kid", sub="neighbour"),
    _claimed(
        "sub the neighbour under its kid",
        _KEY,
        "bad_signature",
        header={"kid": OTHER_KEY.kid},
        iss="neighbour",
        sub="neighbour",
    ),
    _claimed(
        "sub the neighbour without a kid",
        _KEY,
        "bad_signature",
        header={"kid": None},
        iss="neighbour",
        sub="neighbour",
    ),
    _claimed("the neighbour's key for the client", _KEY, "unknown_kid", key=OTHER_KEY),
    _claimed(
        "the neighbour's key, client's kid", _KEY, "bad_signature", key=OTHER_KEY, header={"kid": KEY.kid}
    ),
    _claimed("the realm's key for the client", "RFC 8725 3.8", "unknown_kid", key=REALM_KEY),
    _claimed(
        "a client that is switched off", "RFC 6749 5.2", "client_disabled", iss="disabled", sub="disabled"
    ),
    _claimed(
        "a client that has a secret",
        "RFC 7591 2: one method each",
        "authenticator_mismatch",
        iss="by-secret",
        sub="by-secret",
    ),
    _claimed(
        "a client that has a MAC key", "RFC 8725 2.1", "algorithm_not_allowed", iss="by-mac", sub="by-mac"
    ),
    _claimed(
        "ES256 by a client registered for ES384",
        "RFC 8725 3.1; RFC 7591: token_endpoint_auth_signing_alg",
        "algorithm_not_allowed",
        iss="es384-only",
        sub="es384-only",
    ),
]

NAMES = [
    _named("a client nobody knows", "nobody"),
    _named("a client's name in another case", "Worker"),
    _named("a client's name in Greek and Latin", "w\u03bfrker"),
    _named("a client's name with a zero-width space", "wor\u200bker"),
    _named("a client's name in full width", "\uff57\uff4f\uff52\uff4b\uff45\uff52"),
    _named("a client's name and a NUL", "worker\0"),
    _named("a client's name and a line break", "worker\r\nX-Keyturn-Client: admin"),
    _named("a client's name percent-encoded", "%77orker"),
    _named("a client's name behind a path", "../acme/worker"),
    _named("a client's name behind its realm", "acme:worker"),
    _named("the key of a projection", "client:id-of-acme:worker"),
    _named("the key of a realm", "realm:acme"),
    _named("a glob", "*"),
    _named("a name of 4,000 characters", "w" * 4000),
    _named("a name that is a number", "0"),
    _named("a name in a script", "' .. redis.call('FLUSHALL') .. '"),
]

ATTACKS = [*MIXED, *IMPOSTORS, *NAMES]
