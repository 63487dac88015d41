"""Attacks on times and on types of claims; each token's signature is valid."""

from tests.unit.shared.jose.attacks import Attack
from tests.unit.shared.jose.scene import CLAIMS, NOW, accept, claims_with, signed


def _claims(name: str, source: str, expected: str, **changes: object) -> Attack:
    token = signed(claims=claims_with(**changes))
    return Attack(name, source, expected, lambda: accept(token))


def _null(name: str) -> Attack:
    token = signed(claims={**CLAIMS, name: None})
    return Attack(f"{name} null", "RFC 7519 4.1: null is no value of it", "malformed", lambda: accept(token))


_DATE = "RFC 7519 2: a NumericDate is a JSON number"

JUDGED = [
    _claims("no exp", "RFC 7523 3: exp is required", "missing_claim", exp=None),
    _claims("no claims at all", "RFC 7523 3: exp is required", "missing_claim", **dict.fromkeys(CLAIMS)),
    _claims("expired an hour ago", "RFC 7519 4.1.4", "expired", iat=NOW - 3660, exp=NOW - 3600),
    _claims(
        "expired by just the leeway",
        "RFC 7519 4.1.4: valid before, not at",
        "expired",
        iat=NOW - 60,
        exp=NOW - 15,
    ),
    _claims("exp zero", "RFC 7519 4.1.4: zero is 1970, not never", "expired", iat=0, exp=0),
    _claims(
        "exp half a second past the leeway",
        "RFC 7519 2: fractions count",
        "expired",
        iat=NOW - 60,
        exp=NOW - 15.5,
    ),
    _claims(
        "iat a minute ahead",
        "RFC 7519 4.1.6; Keycloak: issued in the future",
        "not_yet_valid",
        iat=NOW + 60,
        exp=NOW + 90,
    ),
    _claims("iat just past the leeway", "RFC 7519 4.1.6", "not_yet_valid", iat=NOW + 16, exp=NOW + 60),
    _claims("nbf a minute ahead", "RFC 7519 4.1.5", "not_yet_valid", nbf=NOW + 60),
    _claims("nbf just past the leeway", "RFC 7519 4.1.5", "not_yet_valid", nbf=NOW + 15.5),
    _claims("nbf in the year 9999", "RFC 7519 4.1.5", "not_yet_valid", nbf=253_402_300_799),
    _claims(
        "good for an hour, a second after its minute",
        "RFC 7523 5; Keycloak 38576",
        "lifetime_too_long",
        iat=NOW - 61,
        exp=NOW + 3539,
    ),
    _claims(
        "good for ever, an hour old",
        "RFC 7523 5; Keycloak 38576",
        "lifetime_too_long",
        iat=NOW - 3600,
        exp=253_402_300_799,
    ),
    _claims("good for ever and no iat", "RFC 7523 5", "lifetime_too_long", iat=None, exp=253_402_300_799),
    _claims(
        "good for an hour and no iat",
        "RFC 7523 5; Keycloak 38576",
        "lifetime_too_long",
        iat=None,
        exp=NOW + 3600,
    ),
    _claims(
        "good for a second too long and no iat", "RFC 7523 5", "lifetime_too_long", iat=None, exp=NOW + 76
    ),
    _claims(
        "issued yesterday, good until tomorrow",
        "RFC 7523 5; Keycloak 38576",
        "lifetime_too_long",
        iat=NOW - 86_400,
        exp=NOW + 86_400,
    ),
    _claims("issued in 1970, good for now", "RFC 7523 5", "lifetime_too_long", iat=0, exp=NOW + 30),
]

TYPED = [
    _claims("exp a string", _DATE, "malformed", exp=str(NOW + 60)),
    _claims("exp a date in ISO 8601", _DATE, "malformed", exp="2026-11-24T00:00:00Z"),
    _claims("exp an empty string", _DATE, "malformed", exp=""),
    _claims("exp true", _DATE, "malformed", exp=True),
    _claims("exp an array", _DATE, "malformed", exp=[NOW + 60]),
    _claims("exp an object", _DATE, "malformed", exp={"$gt": 0}),
    _claims("exp negative", "RFC 7519 2: seconds since 1970", "malformed", exp=-1),
    _claims(
        "exp in milliseconds", "RFC 7519 2: seconds, not milliseconds", "malformed", exp=(NOW + 60) * 1000
    ),
    _claims("exp past the year 9999", "CWE-190: dates that do not fit", "malformed", exp=253_402_300_800),
    _claims("exp of 2^63", "CWE-190: dates that do not fit", "malformed", exp=2**63),
    _claims("exp of 1e308", "CWE-190: dates that do not fit", "malformed", exp=1e308),
    _claims("iat a string", _DATE, "malformed", iat=str(NOW)),
    _claims("iat false", _DATE, "malformed", iat=False),
    _claims("iat negative", "RFC 7519 2: seconds since 1970", "malformed", iat=-0.5),
    _claims("nbf a string", _DATE, "malformed", nbf=str(NOW)),
    _claims("nbf of -2^63", "CWE-190: dates that do not fit", "malformed", nbf=-(2**63)),
    _null("exp"),
    _null("iat"),
    _null("nbf"),
    _null("sub"),
    _null("aud"),
    _claims("iss a number", "RFC 7519 4.1.1", "malformed", iss=1),
    _claims("iss an array", "RFC 7519 4.1.1; CVE-2024-53861", "malformed", iss=["client", "admin"]),
    _claims("sub an object", "RFC 7519 4.1.2: operator injection", "malformed", sub={"$ne": None}),
    _claims("sub an array", "RFC 7519 4.1.2", "malformed", sub=["client"]),
    _claims("jti a number", "RFC 7519 4.1.7", "malformed", jti=1),
    _claims("aud a number", "RFC 7519 4.1.3", "malformed", aud=1),
    _claims("aud an object", "RFC 7519 4.1.3", "malformed", aud={"0": CLAIMS["aud"]}),
    _claims("aud with a number in it", "RFC 7519 4.1.3; CVE-2020-26160", "malformed", aud=[CLAIMS["aud"], 1]),
    _claims("aud with an array in it", "RFC 7519 4.1.3", "malformed", aud=[[CLAIMS["aud"]]]),
]

ATTACKS = [*JUDGED, *TYPED]
