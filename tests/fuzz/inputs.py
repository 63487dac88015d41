"""Inputs: valid ones slightly damaged, and invalid ones."""

import json
from random import Random
from typing import Any, Final
from urllib.parse import quote_plus

from hypothesis import strategies as st

from keyturn_shared.jose import base64url
from tests.testkit.attacked_node import KEY, REALM_KEY, SECRET, signed
from tests.testkit.nodes import ASSERTION_TYPE, basic

_MEMBERS: Final = (
    *("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "scope", "client_id", "cnf", "htm", "htu", "ath"),
    *("alg", "kid", "typ", "cty", "crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "keys", "kty", "crv"),
    *("x", "y", "n", "e", "use", "key_ops"),
)
_ODD: Final = (
    *(None, True, 0, -1, 2**31, 2**53 + 1, 2**63, 2**64, 10**40, 1e308, -1e308, 0.5, 1e-300),
    *(
        "",
        "none",
        "worker",
        "\0",
        "\ud7ff",
        "\U0010ffff",
        "../",
        "AQAB",
        "P-256",
        "ES256",
        "EC",
        "RSA",
        "OKP",
    ),
)

_PIECES: Final = (
    *(b"\0", b"\xff", b".", b"=", b"&", b"%", b"+", b'"', b"{", b"[" * 40, b"\r\n", b": ", b"9" * 400),
    *(b"null", b"NaN", b"1e999", b'"exp":', b"\xed\xa0\x80", b"%00", b"%ff", b"a" * 5000, b"\r\n\r\n"),
)

text = st.text(max_size=30)
octets = st.binary(max_size=200)
values = st.recursive(
    st.sampled_from(_ODD) | text | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_MEMBERS) | text, inner, max_size=5)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(_MEMBERS) | text, values, max_size=8)


def damaged(whole: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Draw octets with some removed, inserted or changed."""
    edit = st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8))

    def apply(octets: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
        for at, gone, new in edits:
            place = int(at * len(octets))
            octets = octets[:place] + new + octets[place + gone :]
        return octets

    return st.builds(apply, whole, st.lists(edit, max_size=4))


def damage(octets: bytes, random: Random) -> bytes:
    """Damage like ``damaged``, many times faster but without shrinking."""
    changed = bytearray(octets)
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(changed))
        kind = random.random()
        if kind < 0.4 and place < len(changed):
            changed[place] ^= 1 << random.randint(0, 7)
        elif kind < 0.6:
            del changed[place : place + random.randint(1, 8)]
        elif kind < 0.8:
            changed[place:place] = random.choice(_PIECES)
        else:
            changed[place:place] = changed[place : place + random.randint(1, 64)]
    return bytes(changed)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "replace")


def _token(header: Any, claims: Any, key: Any) -> bytes:
    signing_input = base64url.encode(_json(header)) + b"." + base64url.encode(_json(claims))
    return signing_input + b"." + base64url.encode(key.sign(signing_input))


_good_tokens = st.sampled_from([KEY, REALM_KEY]).map(lambda key: signed(key).encode())
_headers = st.sampled_from([{}, {"typ": "at+jwt"}, {"typ": "dpop+jwt"}]).flatmap(
    lambda fixed: objects.map(lambda more: {"alg": "ES256", "kid": "worker-1", **fixed, **more})
)
_claims = objects.map(lambda more: {"iss": "worker", "sub": "worker", **more})
tokens = (
    damaged(_good_tokens)
    | st.builds(_token, _headers, _claims, st.sampled_from([KEY, REALM_KEY]))
    | damaged(st.builds(_token, _headers, _claims, st.just(KEY)))
    | octets
)

key_sets = damaged(
    st.lists(objects.map(lambda more: {**KEY.public_jwk, **more}) | objects, max_size=4).map(
        lambda keys: _json({"keys": keys})
    )
)

_fields = st.sampled_from(
    [
        *("grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "scope"),
        *("resource", "audience", "token", "token_type_hint", "tokens", "single_use"),
    ]
)
_field_values = (
    st.sampled_from(["client_credentials", ASSERTION_TYPE, "worker", "by-secret", SECRET, "read", ""])
    | tokens.map(lambda token: token.decode("latin-1"))
    | text
)
forms = damaged(
    st.lists(st.tuples(_fields | text, _field_values), max_size=8).map(
        lambda fields: "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields).encode()
    )
)
bodies = (
    forms
    | key_sets
    | damaged(objects.map(_json))
    | octets
    | st.builds(
        lambda tokens, more: _json({"tokens": [token.decode("latin-1") for token in tokens], **more}),
        st.lists(tokens, max_size=4),
        objects,
    )
)

_PLACES: Final = (
    *("protocol/openid-connect/token", "protocol/openid-connect/token/introspect", "verify", "forward-auth"),
    *("forward-auth/deeper", "protocol/openid-connect/certs", ".well-known/openid-configuration"),
)
_paths = (
    st.sampled_from([f"/realms/acme/{place}" for place in _PLACES])
    | st.builds(lambda realm, place: f"/realms/{realm}/{place}", text, st.sampled_from(_PLACES) | text)
    | st.sampled_from(["/.well-known/openid-configuration/realms/acme", "/metrics", "/health/ready", "/"])
)
_header = st.one_of(
    st.tuples(st.just(b"authorization"), tokens.map(lambda token: b"Bearer " + token)),
    st.tuples(st.just(b"authorization"), tokens.map(lambda token: b"DPoP " + token)),
    st.tuples(st.just(b"authorization"), damaged(st.just(basic("by-secret", SECRET).encode())) | octets),
    st.tuples(st.just(b"dpop"), tokens),
    st.tuples(
        st.just(b"content-type"),
        st.sampled_from(
            [b"application/x-www-form-urlencoded", b"application/json", b"", b"text/plain; q=\xff"]
        ),
    ),
    st.tuples(
        st.sampled_from(
            [
                *(b"accept", b"if-none-match", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"),
                *(
                    b"x-forwarded-uri",
                    b"x-forwarded-method",
                    b"x-original-uri",
                    b"x-original-method",
                    b"host",
                ),
                *(b"client-cert", b"client-cert-chain", b"content-length", b"x-keyturn-client"),
            ]
        ),
        octets,
    ),
)
requests = st.tuples(
    st.sampled_from([*["POST"] * 6, "GET", "GET", "HEAD", "OPTIONS", "X"]),
    _paths,
    octets | st.just(b"audience=https://api&scope=read"),
    st.lists(_header, max_size=5).map(
        lambda headers: [(b"content-type", b"application/x-www-form-urlencoded"), *headers]
    )
    | st.lists(_header, max_size=5),
    bodies,
)

_wire = st.builds(
    lambda method, path, headers, body: (
        f"{method} ".encode()
        + path.encode("utf-8", "replace")
        + b" HTTP/1.1\r\nhost: a\r\n"
        + b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        + b"content-length: %d\r\n\r\n" % len(body)
        + body
    ),
    st.sampled_from(["POST", "GET", "HEAD", "CONNECT"]),
    _paths,
    st.lists(_header, max_size=4),
    bodies,
)
wires = st.lists(damaged(_wire), min_size=1, max_size=3).map(b"".join) | octets
