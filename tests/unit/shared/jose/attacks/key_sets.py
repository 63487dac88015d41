"""Attacks through a set of keys, and the choice among them."""

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.signing import SigningKey
from tests.unit.shared.jose.attacks import Attack
from tests.unit.shared.jose.scene import (
    CLAIMS,
    accept,
    header_with,
    public_key,
    segment,
    signed,
)

_RSA, _EC = (public_key(alg).public_jwk for alg in ("RS256", "ES256"))


def _set(name: str, source: str, text: bytes) -> Attack:
    return Attack(name, source, "invalid_key_set", lambda: KeySet.from_json(text))


def _keys(*jwks: object) -> bytes:
    return strict_json.encode({"keys": jwks})


_SYMMETRIC = {"kty": "oct", "k": "c2VjcmV0", "kid": "s"}

SETS = [
    _set("a private key among public ones", "RFC 7517 9.2", _keys(_RSA, {**_EC, "d": "AQ"})),
    _set("a secret among public keys", "RFC 7517 9.2; RFC 8725 2.1", _keys(_RSA, _SYMMETRIC)),
    _set("a private member under an unknown kty", "RFC 7517 9.2", _keys({"kty": "AKP", "priv": "AQ"})),
    _set("a single JWK where a set is due", "RFC 7517 5", strict_json.encode(_EC)),
    _set("keys that is an object", "RFC 7517 5.1", b'{"keys": {}}'),
    _set("an array", "RFC 7517 5", b"[]"),
    _set("an HTML page", "RFC 7517 5", b"<!doctype html>"),
    _set("keys twice", "RFC 7517 5: unique members", b'{"keys": [], "keys": [{}]}'),
    _set(
        "kid twice in a key",
        "RFC 7517 4: unique members",
        b'{"keys": [{"kty": "EC", "kid": "a", "kid": "b"}]}',
    ),
    _set("101 keys", "CWE-770: a set that costs too much", _keys(*([{"kty": "x"}] * 101))),
    _set("a set of 257 KiB", "CWE-770: a set that costs too much", b" " * 257 * 1024),
    _set("keys nested 1,000 deep", "RFC 8259 9", b'{"keys": ' + b"[" * 1000 + b"]" * 1000 + b"}"),
]


def _used(name: str, source: str, expected: str, keys: bytes, token: bytes) -> Attack:
    """A token checked with a set that the client publishes."""
    return Attack(name, source, expected, lambda: accept(token, keys=KeySet.from_json(keys)))


_STRANGER = SigningKey.generate("ES256", kid="ES256")
_STRANGERS_TOKEN = _STRANGER.sign_compact(segment(header_with()), CLAIMS).encode()
_ENCRYPTION_ONLY = {**_EC, "use": "enc"}

IN_USE = [
    _used(
        "a key for encryption signs",
        "RFC 7517 4.2; RFC 8725 2.7",
        "unknown_kid",
        _keys(_ENCRYPTION_ONLY),
        signed(),
    ),
    _used(
        "a key that may not verify signs",
        "RFC 7517 4.3",
        "unknown_kid",
        _keys({**_EC, "key_ops": ["sign"]}),
        signed(),
    ),
    _used(
        "an RS384 token with a key for RS256",
        "RFC 7517 4.4; RFC 8725 3.1",
        "algorithm_not_allowed",
        _keys({**_RSA, "alg": "RS256"}),
        signed(header_with(alg="RS384", kid="RS256"), alg="RS384"),
    ),
    _used(
        "a PS256 token with a key for RS256",
        "RFC 7517 4.4; RFC 8725 3.1",
        "algorithm_not_allowed",
        _keys({**_RSA, "alg": "RS256"}),
        signed(header_with(alg="PS256", kid="RS256"), alg="PS256"),
    ),
    _used("an empty set", "RFC 7517 5", "unknown_kid", _keys(), signed()),
    _used("an empty set and no kid", "RFC 7517 5", "unknown_kid", _keys(), signed(header_with(kid=None))),
    _used(
        "a stranger's key under the client's kid",
        "RFC 7515 5.2; Keycloak 14263",
        "bad_signature",
        _keys(_EC),
        _STRANGERS_TOKEN,
    ),
    _used(
        "a stranger's token without a kid",
        "RFC 7515 5.2",
        "bad_signature",
        _keys(_EC, _RSA),
        _STRANGER.sign_compact(segment(header_with(kid=None)), CLAIMS).encode(),
    ),
    _used(
        "the right key under another kid",
        "RFC 7515 4.1.4",
        "unknown_kid",
        _keys({**_EC, "kid": "other"}),
        signed(),
    ),
    _used(
        "the same kid on a key of another type only",
        "Keycloak 14794, 15616",
        "algorithm_not_allowed",
        _keys({**_RSA, "kid": "ES256"}),
        signed(),
    ),
]


ATTACKS = [*SETS, *IN_USE]
