"""Requests of every kind, with tokens that are accepted and refused for every reason."""

import base64
import json
from typing import Any, Final
from urllib.parse import urlencode

from hypothesis import strategies as st

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.oauth_scene import BASE_URL, OTHER_KEY, REALM_KEY
from tests.unit.verifier.web.node_changes import OTHER_REALM_KEY
from tests.unit.verifier.web.node_in_memory import API, CLIENTS, SECRETS, START

_ENDPOINTS: Final = "/protocol/openid-connect"


def access_token(jti: str, *, typ: str = "at+jwt", key: SigningKey = REALM_KEY, **claims: Any) -> str:
    stated = {
        "iss": f"{BASE_URL}/realms/acme",
        "sub": "worker",
        "aud": f"{BASE_URL}/realms/acme",
        "exp": int(START) + 300,
        "iat": int(START),
        "jti": jti,
        "client_id": "worker",
        "client_uuid": "uuid-of-worker",
        "scope": "read write",
    } | claims
    return key.sign_compact(
        key.header_segment(typ), {name: value for name, value in stated.items() if value is not None}
    )


TOKENS: Final = {
    "plain": access_token("plain"),
    "for the API": access_token("api", aud=[API, "other"]),
    "for the shop": access_token("shop", aud="shop"),
    "of the outsider": access_token("o", client_id="outsider", client_uuid="uuid-of-outsider", aud=API),
    "of nobody": access_token("n", client_id="nobody", client_uuid=None),
    "without uuid": access_token("u", client_uuid=None),
    "of no client": access_token("c", client_id=None),
    "of type JWT": access_token("t", typ="JWT"),
    "of another type": access_token("x", typ="logout+jwt"),
    "bound to a key": access_token("k", cnf={"jkt": "x"}),
    "bound to a certificate": access_token("m", cnf={"x5t#S256": "x"}, aud=API),
    "oddly bound": access_token("w", cnf={"other": "x"}),
    "bound to nothing": access_token("e", cnf={}),
    "not yet valid": access_token("f", nbf=int(START) + 30),
    "of the future": access_token("g", iat=int(START) + 30),
    "expired": access_token("p", exp=int(START) - 100),
    "without end": access_token("q", exp=None),
    "of a higher generation": access_token("h", generation=1),
    "of the other key": access_token("r", key=OTHER_REALM_KEY),
    "forged": access_token("s", key=SigningKey.generate(kid="realm-key")),
    "long": access_token("l", padding="x" * 5000),
    "with a role": access_token("v", realm_access={"roles": ["admin"]}),
    "of another realm": access_token("z", iss=f"{BASE_URL}/realms/other"),
    "of the renamed realm": access_token("y", iss=f"{BASE_URL}/realms/renamed"),
    "signed by a client": OTHER_KEY.sign_compact(
        OTHER_KEY.header_segment("JWT"),
        {"iss": "worker", "sub": "worker", "aud": API, "exp": int(START) + 60, "jti": "own"},
    ),
    "none": "",
    "no token": "a.b.c",
    "not ASCII": "é\u0130",
}
_EVEN: Final = st.sampled_from([*["acme"] * 8, "renamed", "other"])
_TOKENS: Final = st.sampled_from([*sorted(TOKENS), *["plain", "for the API"] * 8])


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


_AUTHORIZATION: Final = st.one_of(
    st.builds(basic, st.sampled_from(CLIENTS), st.sampled_from([*SECRETS[:1] * 6, *SECRETS, "wrong"])),
    st.sampled_from(["Basic x", "Basic", "Negotiate x"]),
    st.builds(lambda name: f"Bearer {TOKENS[name]}", _TOKENS),
)
_PARAMETERS: Final = st.lists(
    st.sampled_from(
        [
            ("client_id", "worker"),
            ("client_id", "shop"),
            ("client_id", ""),
            ("client_secret", SECRETS[0]),
            ("client_assertion", "x"),
            ("client_assertion_type", "x"),
            ("token_type_hint", "refresh_token"),
            ("scope", "read"),
            ("resource", API),
            ("token", "again"),
            ("grant_type", "password"),
        ]
    ),
    max_size=1,
)
_FIELDS: Final = st.lists(
    st.sampled_from(
        [
            (b"accept", b"application/json"),
            (b"accept", b"application/token-introspection+jwt;q=0.1"),
            (b"dpop", b"x"),
            (b"dpop", b"x"),
            (b"authorization", b"Basic x"),
            (b"content-type", b"text/plain"),
            (b"x-forwarded-for", b"198.51.100.1"),
        ]
    ),
    max_size=2,
)
_FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")

Sent = tuple[str, list[tuple[bytes, bytes]], bytes, bytes]


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    realm = draw(_EVEN)
    kind = draw(st.sampled_from(["introspect", "token", "verify", "forward-auth", "forward-auth/x"]))
    headers = list(draw(_FIELDS)) if draw(st.integers(0, 3)) == 0 else []
    if kind.startswith("forward-auth"):
        scheme = draw(st.sampled_from([*["Bearer"] * 5, "bearer ", "DPoP", "Basic"]))
        text = f"{scheme} {TOKENS[draw(_TOKENS)]}".encode("latin-1", "ignore")
        headers.append((b"authorization", text))
        named = draw(
            st.lists(st.sampled_from([("audience", API), ("scope", "read"), ("scope", "admin")]), max_size=2)
        )
        headers += [(f"x-keyturn-require-{name}".encode(), value.encode()) for name, value in named]
        return f"/realms/{realm}/{kind}", headers, b"", urlencode(named).encode()
    if draw(st.integers(0, 9)):
        headers.append((b"authorization", draw(_AUTHORIZATION).encode("latin-1", "ignore")))
    parameters = draw(_PARAMETERS)
    if kind == "verify":
        names = draw(st.lists(_TOKENS, max_size=6))
        body: dict[str, Any] = {"tokens": [TOKENS[name] for name in names], **dict(parameters)}
        optional = {"audience": API, "single_use": True, "x5t#S256": "x"}
        body |= {
            name: optional[name] for name in draw(st.lists(st.sampled_from(sorted(optional)), max_size=1))
        }
        return f"/realms/{realm}/verify", headers, json.dumps(body).encode(), b""
    if not any(name == b"content-type" for name, _ in headers):
        headers.append(_FORM)
    if kind == "token":
        form = urlencode([("grant_type", "client_credentials"), *parameters])
        return f"/realms/{realm}{_ENDPOINTS}/token", headers, form.encode(), b""
    form = urlencode([("token", TOKENS[draw(_TOKENS)]), *parameters])
    return f"/realms/{realm}{_ENDPOINTS}/token/introspect", headers, form.encode(), b""
