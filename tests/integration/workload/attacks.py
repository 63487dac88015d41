"""Hostile variations of assertions, each with the code of its refusal."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.signing import SigningKey
from tests.integration.workload import issuers
from tests.integration.workload.issuers import (
    CLUSTER_KEY,
    FORMER_KEY,
    GITHUB_KEY,
    REALM_ISSUER,
    RIVAL,
    RIVAL_KEY,
    SPIFFE_ID,
    SPIRE_KEY,
    SVID_AUTHORITY,
    TRUST_DOMAIN,
    github,
    kubernetes,
    signed,
    spiffe,
)
from tests.integration.workload.scene import CLIENT_KEY, SPIFFE_TYPE
from tests.testkit.attacked_node import sign_raw

ATTACKER: Final = SigningKey.generate("RS256", kid="attacker")
ATTACKER_EC: Final = SigningKey.generate("ES256", kid=GITHUB_KEY.kid)
TWIN_ISSUER: Final = REALM_ISSUER.replace("acme", "twin")
_RELEASE: Final = "repo:octo-org/orders:ref:refs/heads/"


@dataclass(frozen=True)
class Attack:
    """``make``: makes the assertion, at the time of the attack. ``form``: further parameters of the
    request."""

    name: str
    code: str
    make: Callable[[], str]
    form: dict[str, str] = field(default_factory=dict)
    realm: str = "acme"


def job(
    name: str,
    code: str,
    *,
    key: SigningKey = GITHUB_KEY,
    header: dict[str, Any] | None = None,
    form: dict[str, str] | None = None,
    realm: str = "acme",
    **claims: Any,
) -> Attack:
    """Vary the token of a job of client ``deploy``."""
    return Attack(name, code, lambda: signed(key, github(**claims), header), form or {}, realm)


def named(name: str, code: str, client_id: str = "deploy", **more: Any) -> Attack:
    """Vary it in a request that names the client."""
    return job(name, code, form={"client_id": client_id}, **more)


def released(name: str, branch: str, code: str = "wrong_subject") -> Attack:
    """Try to match the pattern of client ``release``."""
    return named(f"pattern: {name}", code, "release", sub=f"{_RELEASE}{branch}")


def pod(name: str, code: str, **claims: Any) -> Attack:
    return Attack(name, code, lambda: signed(CLUSTER_KEY, kubernetes(**claims)), {"client_id": "orders"})


def svid(name: str, code: str, *, key: SigningKey = SPIRE_KEY, **claims: Any) -> Attack:
    form = {"client_id": "billing", "kind": SPIFFE_TYPE}
    return Attack(f"SVID: {name}", code, lambda: signed(key, spiffe(**claims)), form)


def text(name: str, make: Callable[[], str], code: str = "malformed") -> Attack:
    return Attack(name, code, make)


def _hmac(secret: bytes) -> str:
    """Sign with HMAC, by a key that everyone can read."""
    head = base64url.encode(strict_json.encode({"alg": "HS256", "kid": GITHUB_KEY.kid}))
    signing_input = head + b"." + base64url.encode(strict_json.encode(github()))
    mac = hmac.new(secret, signing_input, hashlib.sha256).digest()
    return (signing_input + b"." + base64url.encode(mac)).decode()


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


def _issuer(name: str, iss: Any, code: str = "wrong_issuer") -> Attack:
    return named(f"iss {name}", code, iss=iss)


ISSUERS: Final = [
    _issuer("in another case", "https://Token.actions.githubusercontent.com"),
    _issuer("with a slash", f"{issuers.GITHUB}/"),
    _issuer("with a homograph", issuers.GITHUB.replace("o", "\u043e", 1)),
    _issuer("in full width", "https://\uff54oken.actions.githubusercontent.com"),
    _issuer("with a zero-width space", f"{issuers.GITHUB}\u200b"),
    _issuer("over plain http", issuers.GITHUB.replace("https", "http")),
    _issuer("with its port", f"{issuers.GITHUB}:443"),
    _issuer("with a path", f"{issuers.GITHUB}/octo-org"),
    _issuer("as user information", f"{issuers.GITHUB}@rival.example"),
    _issuer("as a prefix of a host", f"{issuers.GITHUB}.rival.example"),
    _issuer("percent-encoded", "https://token%2eactions.githubusercontent.com"),
    _issuer("with a fragment", f"{issuers.GITHUB}#"),
    _issuer("with a space", f" {issuers.GITHUB}"),
    _issuer("empty", ""),
    _issuer("missing", None),
    _issuer("the realm", REALM_ISSUER),
    _issuer("of another platform that is trusted", issuers.CLUSTER),
    _issuer("an alias", "github"),
    _issuer("an array", [issuers.GITHUB], "malformed"),
    _issuer("an object", {"$eq": issuers.GITHUB}, "malformed"),
    _issuer("disabled", "https://off.example"),
    Attack(
        "a client of a disabled issuer",
        "issuer_disabled",
        lambda: signed(RIVAL_KEY, github(iss="https://off.example", sub="anyone")),
    ),
]

KEYS: Final = [
    text("alg none", lambda: _unsigned("none"), "algorithm_not_allowed"),
    text("alg None", lambda: _unsigned("None"), "algorithm_not_allowed"),
    text("HS256 with the public key", lambda: _hmac(_pem()), "algorithm_not_allowed"),
    text(
        "HS256 with the JWK",
        lambda: _hmac(strict_json.encode(GITHUB_KEY.public_jwk)),
        "algorithm_not_allowed",
    ),
    named("ES256 where RS256 is required", "algorithm_not_allowed", key=ATTACKER_EC),
    named("alg in another case", "algorithm_not_allowed", header={"alg": "rs256"}),
    named("RS512 where RS256 is required", "algorithm_not_allowed", header={"alg": "RS512"}),
    text("no alg", lambda: signed(GITHUB_KEY, github(), {"alg": None})),
    named("kid that leads to a file", "unknown_kid", header={"kid": "../../../../dev/null"}),
    named("kid that is a URL", "unknown_kid", header={"kid": "https://rival.example/jwks"}),
    named("kid in SQL", "unknown_kid", header={"kid": "x' UNION SELECT 'key"}),
    text("kid of 513 characters", lambda: signed(GITHUB_KEY, github(), {"kid": "k" * 513})),
    text("kid a number", lambda: signed(GITHUB_KEY, github(), {"kid": 1})),
    named("another's key", "unknown_kid", key=ATTACKER),
    named("another's key under the kid", "bad_signature", key=ATTACKER, header={"kid": GITHUB_KEY.kid}),
    named("another's key without a kid", "bad_signature", key=ATTACKER, header={"kid": None}),
    named("the key of another trusted issuer under the same kid", "bad_signature", key=RIVAL_KEY),
    named("the client's own key", "algorithm_not_allowed", key=CLIENT_KEY),
    named("a revoked key", "key_revoked", key=FORMER_KEY),
    named("jku", "unknown_kid", key=ATTACKER, header={"jku": "https://rival.example/jwks"}),
    named(
        "jku and the kid",
        "bad_signature",
        key=ATTACKER,
        header={"jku": "https://rival.example/jwks", "kid": GITHUB_KEY.kid},
    ),
    named("x5u", "unknown_kid", key=ATTACKER, header={"x5u": "https://rival.example/chain"}),
    named("an embedded jwk", "unknown_kid", key=ATTACKER, header={"jwk": ATTACKER.public_jwk}),
    text("crit", lambda: signed(GITHUB_KEY, github(), {"crit": ["exp"]})),
    text("b64 false", lambda: signed(GITHUB_KEY, github(), {"b64": False})),
    text("zip", lambda: signed(GITHUB_KEY, github(), {"zip": "DEF"})),
    text("a signature of another token", lambda: _with_signature_of_another(), "bad_signature"),
    text(
        "an empty signature", lambda: signed(GITHUB_KEY, github()).rpartition(".")[0] + ".", "bad_signature"
    ),
]

SUBJECTS: Final = [
    job("an unknown subject", "unknown_client", sub="repo:octo-org/unknown:pull_request"),
    job("a subject of 3,000 characters", "unknown_client", sub="repo:" + "x" * 3000),
    named("another branch", "wrong_subject", sub=f"{_RELEASE}evil"),
    named("a fork", "wrong_subject", sub="repo:mallory/orders:ref:refs/heads/main"),
    named("sub in another case", "wrong_subject", sub=issuers.BRANCH.upper()),
    named("sub with a space", "wrong_subject", sub=f"{issuers.BRANCH} "),
    named("sub with a NUL", "wrong_subject", sub=f"{issuers.BRANCH}\0"),
    named("sub with a homograph", "wrong_subject", sub=issuers.BRANCH.replace("o", "\u043e", 1)),
    named("sub as a prefix", "wrong_subject", sub=f"{issuers.BRANCH}-2"),
    text("sub an array", lambda: signed(GITHUB_KEY, github(sub=[issuers.BRANCH]))),
    text("sub a number", lambda: signed(GITHUB_KEY, github(sub=1))),
    text("no sub", lambda: signed(GITHUB_KEY, github(sub=None))),
    text("sub empty", lambda: signed(GITHUB_KEY, github(sub=""))),
    released("crosses a slash", "release-1/main"),
    released("climbs", "release-1/../main"),
    released("crosses a colon", "release-1:environment:prod"),
    released("matches nothing", "release-"),
    released("percent-encoded slash", "release-1%2Fmain"),
    released("a line break", "release-1\n"),
    released("a space", "release-1 "),
    released("full width", "release-\uff11"),
    released("itself", "release-*"),
    released("300 characters", f"release-{'1' * 300}"),
    released("in another case", "Release-1"),
    released("revoked", "release-0", "subject_revoked"),
    named(
        "pattern: another repository",
        "wrong_subject",
        "release",
        sub="repo:octo-org/x:ref:refs/heads/release-1",
    ),
    job("pattern: without the client's name", "unknown_client", sub=f"{_RELEASE}release-1"),
    named("the client of another subject", "wrong_subject", "release"),
    named("the client of another issuer", "wrong_issuer", "orders"),
    named("a client with its own key", "authenticator_mismatch", "by-key"),
    named("a client with a secret", "authenticator_mismatch", "by-secret"),
    named("a client nobody knows", "unknown_client", "nobody"),
    named("the subject as the client", "unknown_client", issuers.BRANCH),
    named("a client in another case", "unknown_client", "Deploy"),
    job("a client that is switched off", "client_disabled", sub="repo:octo-org/off:pull_request"),
    named("a client of another realm", "unknown_client", "of-twin"),
    job("a token for this realm at another one", "wrong_audience", realm="twin"),
]

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

ATTACKS: Final = [*ISSUERS, *KEYS, *SUBJECTS, *AUDIENCES, *TIMES, *TEXTS, *CONDITIONS, *SVIDS]


def _unsigned(alg: str) -> str:
    head = base64url.encode(strict_json.encode({"alg": alg, "kid": GITHUB_KEY.kid}))
    return (head + b"." + base64url.encode(strict_json.encode(github())) + b".").decode()


def _pem() -> bytes:
    key = GITHUB_KEY.verification_key.public_key
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _with_signature_of_another() -> str:
    signature = signed(GITHUB_KEY, github()).rpartition(".")[2]
    return f"{signed(GITHUB_KEY, github()).rpartition('.')[0]}.{signature}"
