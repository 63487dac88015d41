"""Assertions with other audiences, times or claims than the realm requires, or in another form."""

import base64
import time
from collections.abc import Callable
from typing import Any, Final

from keyturn_shared.jose import base64url, strict_json
from tests.integration.workload import issuers
from tests.integration.workload.attack import (
    Attack,
    named,
    pod,
    svid,
    text,
)
from tests.integration.workload.issuers import (
    GITHUB_KEY,
    REALM_ISSUER,
    RIVAL,
    SPIFFE_ID,
    SPIRE_KEY,
    SVID_AUTHORITY,
    TRUST_DOMAIN,
    github,
    signed,
    spiffe,
)
from tests.integration.workload.scene import CLIENT_KEY, SPIFFE_TYPE
from tests.testkit.attacked_node import sign_raw

TWIN_ISSUER: Final = REALM_ISSUER.replace("acme", "twin")


def _payload(change: Callable[[bytes], bytes]) -> Callable[[], str]:
    return lambda: sign_raw(GITHUB_KEY, change(strict_json.encode(github())))


def _repeated_header() -> str:
    head = strict_json.encode({"alg": "RS256", "kid": GITHUB_KEY.kid})[:-1] + b',"kid":"another"}'
    signing_input = base64url.encode(head) + b"." + base64url.encode(strict_json.encode(github()))
    return (signing_input + b"." + base64url.encode(GITHUB_KEY.sign(signing_input))).decode()


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


AUDIENCES: Final = [
    named(f"aud {name}", code, aud=aud)
    for name, aud, code in (
        ("missing", None, "missing_claim"),
        ("the platform's default", "https://github.com/octo-org", "wrong_audience"),
        ("in an array with another", [REALM_ISSUER, "https://rival.example"], "wrong_audience"),
        ("in an array with an empty one", [REALM_ISSUER, ""], "wrong_audience"),
        ("an empty array", [], "wrong_audience"),
        ("empty", "", "wrong_audience"),
        ("with a slash", f"{REALM_ISSUER}/", "wrong_audience"),
        ("in another case", REALM_ISSUER.upper(), "wrong_audience"),
        ("another realm", TWIN_ISSUER, "wrong_audience"),
        (
            "the introspection endpoint",
            f"{REALM_ISSUER}/protocol/openid-connect/token/introspect",
            "wrong_audience",
        ),
        ("the client", "deploy", "wrong_audience"),
        ("the issuer", issuers.GITHUB, "wrong_audience"),
        ("an array in an array", [[REALM_ISSUER]], "malformed"),
        ("an object", {"0": REALM_ISSUER}, "malformed"),
    )
]


def _times(name: str, code: str, **seconds: float) -> Attack:
    """Vary the times, in seconds from now."""

    def make() -> str:
        now = time.time()
        return signed(GITHUB_KEY, github(**{claim: int(now + ahead) for claim, ahead in seconds.items()}))

    return Attack(name, code, make)


TIMES: Final = [
    _times("expired", "expired", exp=-60),
    _times("issued in the future", "not_yet_valid", iat=120, exp=200),
    _times("not valid yet", "not_yet_valid", nbf=120),
    _times("older than the issuer's limit", "lifetime_too_long", iat=-400, nbf=-400),
    _times("valid for a year, an hour old", "lifetime_too_long", iat=-3600, nbf=-3600, exp=31_536_000),
    named("no exp", "missing_claim", exp=None),
    Attack(
        "no iat, and valid for a year",
        "lifetime_too_long",
        lambda: signed(GITHUB_KEY, github(iat=None, exp=int(time.time()) + 31_536_000)),
    ),
    text("exp a text", lambda: signed(GITHUB_KEY, github(exp="2999-01-01"))),
    text("exp true", lambda: signed(GITHUB_KEY, github(exp=True))),
    text("exp negative", lambda: signed(GITHUB_KEY, github(exp=-1))),
    text("exp beyond all dates", lambda: signed(GITHUB_KEY, github(exp=1e300))),
    text("exp not a number", _payload(lambda body: body.replace(b'"exp":', b'"exp":NaN,"x":'))),
    named("no jti where an assertion is used once", "missing_claim", jti=None),
    text("jti a number", lambda: signed(GITHUB_KEY, github(jti=1))),
]

TEXTS: Final = [
    text(
        "a repeated claim", _payload(lambda body: body[:-1] + b',"sub":"repo:octo-org/orders:pull_request"}')
    ),
    text("a repeated claim in a nested object", _payload(lambda body: body[:-1] + b',"a":{"b":1,"b":2}}')),
    text("a repeated member of the header", _repeated_header),
    text("larger than any token", lambda: signed(GITHUB_KEY, github(padding="x" * 20_000))),
    text("nested too deeply", lambda: signed(GITHUB_KEY, github(nested=_nested(20)))),
    text("not an object", _payload(lambda body: b"[" + body + b"]")),
    text("something behind the object", _payload(lambda body: body + b"{}")),
    text("a lone surrogate", _payload(lambda body: body[:-1] + b',"a":"\\ud800"}')),
    text("an integer of more than 64 bits", _payload(lambda body: body[:-1] + b',"a":1' + b"0" * 30 + b"}")),
    text("padded base64", lambda: signed(GITHUB_KEY, github()) + "="),
    text("five segments", lambda: signed(GITHUB_KEY, github()) + ".a.b"),
    text("JSON serialization", lambda: '{"payload":"","signatures":[]}'),
    text("in another base64", lambda: base64.b64encode(signed(GITHUB_KEY, github()).encode()).decode()),
    named("typ of an access token", "malformed", header={"typ": "at+jwt"}),
    named("typ of a DPoP proof", "malformed", header={"typ": "dpop+jwt"}),
    named("typ of a logout token", "malformed", header={"typ": "logout+jwt"}),
    named("typ of an SVID", "malformed", header={"typ": "JOSE"}),
]

CONDITIONS: Final = [
    named("a condition of the issuer: another value", "condition_not_met", repository_owner_id="66"),
    named("a condition of the issuer: a number", "condition_not_met", repository_owner_id=65),
    named("a condition of the issuer: missing", "condition_not_met", repository_owner_id=None),
    named("a condition of the client: another value", "condition_not_met", ref="refs/heads/evil"),
    named("a condition of the client: in an array", "condition_not_met", ref=["refs/heads/main"]),
    named("a condition of the client: a boolean", "condition_not_met", ref_protected=True),
    named("a condition of the client: null", "condition_not_met", ref_protected=None),
    pod("a nested condition: another value", "condition_not_met", **{"kubernetes.io": {"namespace": "evil"}}),
    pod("a nested condition: not nested", "condition_not_met", **{"kubernetes.io": "shop"}),
    pod("a nested condition: missing", "condition_not_met", **{"kubernetes.io": None}),
    pod(
        "a nested condition: under the name of its path",
        "condition_not_met",
        **{"kubernetes.io": None, "/kubernetes.io/namespace": "shop"},
    ),
    pod("another namespace", "wrong_subject", sub="system:serviceaccount:evil:orders"),
    pod("the namespace's default account", "wrong_subject", sub="system:serviceaccount:shop:default"),
    pod("older than an hour", "lifetime_too_long", iat=int(time.time()) - 4000, nbf=int(time.time()) - 4000),
]

SVIDS: Final = [
    svid("of another trust domain", "wrong_issuer", sub="spiffe://rival.example/ns/shop/sa/billing"),
    svid("of a longer trust domain", "wrong_issuer", sub="spiffe://prod.example.rival/ns/shop/sa/billing"),
    svid("trust domain in another case", "wrong_issuer", sub=SPIFFE_ID.replace("prod", "Prod")),
    svid("trust domain alone", "wrong_issuer", sub=TRUST_DOMAIN),
    svid("trust domain with a slash", "wrong_issuer", sub=f"{TRUST_DOMAIN}/"),
    svid("with a port", "wrong_issuer", sub=SPIFFE_ID.replace("example/", "example:443/")),
    svid("scheme in another case", "wrong_issuer", sub=SPIFFE_ID.replace("spiffe", "SPIFFE")),
    svid("of another workload", "wrong_subject", sub=f"{TRUST_DOMAIN}/ns/shop/sa/orders"),
    svid("with a slash", "wrong_subject", sub=f"{SPIFFE_ID}/"),
    svid("that climbs", "wrong_subject", sub=f"{TRUST_DOMAIN}/ns/shop/sa/x/../billing"),
    svid("signed by an authority of X.509-SVIDs", "unknown_kid", key=SVID_AUTHORITY),
    svid("with an audience too many", "wrong_audience", aud=[REALM_ISSUER, "spiffe://rival.example/x"]),
    svid("without an audience", "missing_claim", aud=None),
    svid("without exp", "missing_claim", exp=None),
    Attack(
        "SVID: as another assertion type",
        "wrong_issuer",
        lambda: signed(SPIRE_KEY, spiffe()),
        {"client_id": "billing"},
    ),
    Attack(
        "SVID: as another assertion type, without the client's name",
        "unknown_client",
        lambda: signed(SPIRE_KEY, spiffe(iss=RIVAL)),
    ),
    Attack(
        "SVID: a job's token as one",
        "wrong_issuer",
        lambda: signed(GITHUB_KEY, github()),
        {"client_id": "deploy", "kind": SPIFFE_TYPE},
    ),
    Attack(
        "SVID: a client's own assertion as one",
        "authenticator_mismatch",
        lambda: signed(CLIENT_KEY, github(iss="by-key", sub="by-key")),
        {"kind": SPIFFE_TYPE},
    ),
]
