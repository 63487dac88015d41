"""Assertions of another issuer, by another key, or about another subject."""

import hashlib
import hmac
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn_shared.jose import base64url, strict_json
from tests.integration.workload import issuers
from tests.integration.workload.attack import (
    ATTACKER,
    ATTACKER_EC,
    RELEASE,
    Attack,
    job,
    named,
    released,
    text,
)
from tests.integration.workload.issuers import (
    FORMER_KEY,
    GITHUB_KEY,
    REALM_ISSUER,
    RIVAL_KEY,
    github,
    signed,
)
from tests.integration.workload.scene import CLIENT_KEY


def _hmac(secret: bytes) -> str:
    """Sign with HMAC, by a key that everyone can read."""
    head = base64url.encode(strict_json.encode({"alg": "HS256", "kid": GITHUB_KEY.kid}))
    signing_input = head + b"." + base64url.encode(strict_json.encode(github()))
    mac = hmac.new(secret, signing_input, hashlib.sha256).digest()
    return (signing_input + b"." + base64url.encode(mac)).decode()


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
    named("another branch", "wrong_subject", sub=f"{RELEASE}evil"),
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
    job("pattern: without the client's name", "unknown_client", sub=f"{RELEASE}release-1"),
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


def _unsigned(alg: str) -> str:
    head = base64url.encode(strict_json.encode({"alg": alg, "kid": GITHUB_KEY.kid}))
    return (head + b"." + base64url.encode(strict_json.encode(github())) + b".").decode()


def _pem() -> bytes:
    key = GITHUB_KEY.verification_key.public_key
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _with_signature_of_another() -> str:
    signature = signed(GITHUB_KEY, github()).rpartition(".")[2]
    return f"{signed(GITHUB_KEY, github()).rpartition('.')[0]}.{signature}"
