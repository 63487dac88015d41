"""Attacks on a token's encoding: segments, base64url, JSON."""

import json

from keyturn_shared.jose import base64url
from tests.unit.shared.jose.attacks import Attack
from tests.unit.shared.jose.scene import (
    CLAIMS,
    HEADER,
    accept,
    claims_with,
    header_with,
    segment,
    signature_of,
    signed,
)

_TOKEN = signed()
_HEADER, _PAYLOAD, _SIGNATURE = _TOKEN.split(b".")


def _malformed(name: str, source: str, token: bytes | str) -> Attack:
    return Attack(name, source, "malformed", lambda: accept(token))


def _resigned(name: str, source: str, header: bytes, payload: bytes) -> Attack:
    """Given header and payload segments, with a valid signature over exactly them."""
    signing_input = header + b"." + payload
    return _malformed(name, source, signing_input + b"." + base64url.encode(signature_of(signing_input)))


_FLATTENED = {"payload": _PAYLOAD.decode(), "protected": _HEADER.decode(), "signature": _SIGNATURE.decode()}
_GENERAL = {"payload": _FLATTENED["payload"], "signatures": [_FLATTENED]}

SEGMENTS = [
    _malformed("an empty string", "RFC 7515 7.1", b""),
    _malformed("two dots and nothing else", "RFC 7515 7.1", b".."),
    _malformed("one segment", "RFC 7515 7.1", _HEADER),
    _malformed("two segments", "RFC 7515 7.1; CVE-2020-28042", _HEADER + b"." + _PAYLOAD),
    _malformed("four segments", "RFC 7515 7.1", _TOKEN + b"." + _SIGNATURE),
    _malformed("a dot more at the end", "RFC 7515 7.1", _TOKEN + b"."),
    _malformed("a dot more at the start", "RFC 7515 7.1", b"." + _TOKEN),
    _malformed("a JWE of five segments", "RFC 7516 9; CVE-2022-3102", _TOKEN + b".QUJD.QUJD"),
    _malformed("an empty header", "RFC 7515 7.1", b"." + _PAYLOAD + b"." + _SIGNATURE),
    _malformed(
        "detached content", "RFC 7515 Appendix F: the payload is left out", _HEADER + b".." + _SIGNATURE
    ),
    _malformed("16,384 dots", "CVE-2025-27144, CVE-2025-30204: splitting on every dot", b"." * 16_384),
    _malformed("one byte over the size cap", "CVE-2025-61920: oversized tokens", b"e" * 16_385),
    _malformed("ten megabytes", "CVE-2025-61920: oversized tokens", _TOKEN + b"A" * 10_000_000),
    _malformed("flattened JSON serialization", "RFC 7515 7.2.2; CVE-2022-39227", json.dumps(_FLATTENED)),
    _malformed("general JSON serialization", "RFC 7515 7.2.1; CVE-2016-9122", json.dumps(_GENERAL)),
    _malformed(
        "a compact token inside JSON serialization",
        "CVE-2022-39227: the signed part of one form, the claims of the other",
        json.dumps({_TOKEN.decode() + ".": "", **_FLATTENED}),
    ),
    _malformed(
        "the word Bearer before it", "RFC 6750 2.1: the scheme is no part of the token", b"Bearer " + _TOKEN
    ),
    _malformed("two tokens in a row", "RFC 7515 7.1", _TOKEN + b" " + _TOKEN),
    _malformed("quotes around it", "RFC 7515 7.1", b'"' + _TOKEN + b'"'),
    _malformed("a letter outside ASCII", "RFC 7515 2", _TOKEN.decode() + "\u00e9"),
    _malformed(
        "full-width letters",
        "RFC 7515 2: no Unicode normalization",
        _TOKEN.decode().replace("e", "\uff45", 1),
    ),
    _malformed("a lone surrogate", "RFC 7515 2", _TOKEN.decode() + "\ud800"),
]


def _bits(text: bytes) -> bytes:
    """Return another spelling of the same octets: the unused low bit of the last character is set."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(text[-1:]) + 1 :][:1]
    return text[:-1] + last


_LOOSE_HEADER = segment(header_with(x="."))
assert len(_LOOSE_HEADER) % 4
_PLUS_PAYLOAD = segment(claims_with(note="\u00fb\u00ff\u00bf>>>???"))

BASE64URL = [
    _malformed("a padded signature", "RFC 7515 2: no padding", _TOKEN + b"=="),
    _malformed("a padded signature, one character", "RFC 7515 2: no padding", _TOKEN + b"="),
    _resigned("a padded header", "RFC 7515 2: no padding", _HEADER + b"=", _PAYLOAD),
    _resigned("a padded payload", "RFC 7515 2: no padding", _HEADER, _PAYLOAD + b"=="),
    _malformed("a line feed at the end", "RFC 7515 2: no line breaks", _TOKEN + b"\n"),
    _malformed("a carriage return and line feed at the end", "RFC 7515 2: no line breaks", _TOKEN + b"\r\n"),
    _malformed("a space at the start", "RFC 7515 2: no whitespace", b" " + _TOKEN),
    _malformed("a tab in the signature", "RFC 7515 2: no whitespace", _TOKEN[:-4] + b"\t" + _TOKEN[-4:]),
    _malformed("a NUL at the end", "RFC 4648 3.3", _TOKEN + b"\0"),
    _resigned(
        "a line break in the payload",
        "RFC 7515 2: no line breaks",
        _HEADER,
        _PAYLOAD[:8] + b"\n" + _PAYLOAD[8:],
    ),
    _resigned(
        "a question mark in the header",
        "RFC 4648 3.3; CVE-2022-25898",
        _HEADER[:-1] + b"?" + _HEADER[-1:],
        _PAYLOAD,
    ),
    _resigned(
        "a percent escape in the header", "RFC 4648 3.3; CVE-2022-25898", b"%65" + _HEADER[1:], _PAYLOAD
    ),
    _resigned(
        "plus and slash for minus and underscore",
        "RFC 7515 2: the URL-safe alphabet",
        _HEADER,
        _PLUS_PAYLOAD.translate(bytes.maketrans(b"-_", b"+/")),
    ),
    _malformed("unused bits set in the signature", "RFC 4648 3.5: one spelling for one value", _bits(_TOKEN)),
    _resigned(
        "unused bits set in the header",
        "RFC 4648 3.5: one spelling for one value",
        _bits(_LOOSE_HEADER),
        _PAYLOAD,
    ),
    _malformed("a signature of one character more than any octets have", "RFC 4648 4", _TOKEN + b"AAA"),
]


def _payload(name: str, source: str, payload: bytes) -> Attack:
    return _resigned(name, source, _HEADER, segment(payload))


def _header(name: str, source: str, header: bytes) -> Attack:
    return _resigned(name, source, segment(header), _PAYLOAD)


_CLAIMS = json.dumps(CLAIMS).encode()
_OPEN = _CLAIMS[:-1] + b", "

JSON_TEXT = [
    _payload("a payload that is an array", "RFC 7519 7.2: the claims set is an object", b'[{"exp": 1}]'),
    _payload("a payload that is a string", "RFC 7519 7.2: the claims set is an object", b'"claims"'),
    _payload("a payload that is a number", "RFC 7519 7.2: the claims set is an object", b"1"),
    _payload("a payload that is null", "RFC 7519 7.2: the claims set is an object", b"null"),
    _payload("a payload that is no JSON", "RFC 7519 7.2", b"iss=client"),
    _payload("a payload cut short", "RFC 8259 2", _CLAIMS[:-1]),
    _payload("a payload with more after it", "RFC 8259 2", _CLAIMS + b"{}"),
    _payload("a NUL after the payload", "RFC 8259 2", _CLAIMS + b"\0"),
    _payload("a byte order mark", "RFC 8259 8.1", b"\xef\xbb\xbf" + _CLAIMS),
    _payload("a payload in UTF-16", "RFC 8725 3.7: UTF-8 only", _CLAIMS.decode().encode("utf-16")),
    _payload("a payload in Latin-1", "RFC 8725 3.7: UTF-8 only", _OPEN + b'"name": "\xe9"}'),
    _payload("overlong UTF-8", "RFC 3629 3; RFC 8725 3.7", _OPEN + b'"name": "\xc0\xaf"}'),
    _payload("a surrogate in UTF-8", "RFC 3629 3; RFC 8725 3.7", _OPEN + b'"name": "\xed\xa0\x80"}'),
    _payload("an escaped lone surrogate", "RFC 8259 8.2", _OPEN + b'"name": "\\ud800"}'),
    _payload("sub twice", "RFC 7519 4: the last or none; RFC 8725 2.6", _OPEN + b'"sub": "admin"}'),
    _payload("exp twice", "RFC 7519 4", _OPEN + b'"exp": 9999999999}'),
    _payload("sub twice, once in escapes", "RFC 7519 4; RFC 8259 8.3", _OPEN + b'"\\u0073ub": "admin"}'),
    _payload("sub twice with the same value", "RFC 7519 4", _OPEN + b'"sub": "client"}'),
    _payload("a name twice in a nested object", "RFC 8725 2.6", _OPEN + b'"cnf": {"jkt": "a", "jkt": "b"}}'),
    _payload("a name twice in an array's object", "RFC 8725 2.6", _OPEN + b'"act": [{"a": 1, "a": 2}]}'),
    _payload(
        "a name twice hidden by escaped quotes",
        "RFC 8725 2.6: counting characters is not parsing",
        _OPEN + b'"note": "\\u0022\\u0022\\u0022\\u0022", "sub": "a"}',
    ),
    _payload("a comment", "RFC 8259 2", b"/**/" + _CLAIMS),
    _payload("a trailing comma", "RFC 8259 4", _CLAIMS[:-1] + b",}"),
    _payload("single quotes", "RFC 8259 7", _CLAIMS.replace(b'"', b"'")),
    _payload("an unescaped control character", "RFC 8259 7", _OPEN + b'"name": "\n"}'),
    _payload("NaN", "RFC 8259 6", _OPEN + b'"n": NaN}'),
    _payload("Infinity", "RFC 8259 6", _OPEN + b'"n": Infinity}'),
    _payload("a double that overflows", "RFC 8259 6; RFC 7493 2.2", _OPEN + b'"n": 1e400}'),
    _payload("an integer of 65 bits", "RFC 7493 2.2", _OPEN + b'"n": 18446744073709551616}'),
    _payload(
        "an integer of 4,000 digits", "RFC 7493 2.2; CVE-2020-10735", _OPEN + b'"n": ' + b"7" * 4000 + b"}"
    ),
    _payload(
        "an integer of 11,000 digits", "RFC 7493 2.2; CVE-2020-10735", _OPEN + b'"n": ' + b"7" * 11_000 + b"}"
    ),
    _payload("a number with a leading zero", "RFC 8259 6", _OPEN + b'"n": 01}'),
    _payload("arrays nested 17 deep", "RFC 8259 9", _OPEN + b'"n": ' + b"[" * 16 + b"]" * 16 + b"}"),
    _payload(
        "arrays nested 5,000 deep",
        "RFC 8259 9: stack exhaustion",
        _OPEN + b'"n": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ),
    _payload(
        "objects nested 900 deep",
        "RFC 8259 9: stack exhaustion",
        _OPEN + b'"n": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
    ),
    _header("a header that is an array", "RFC 7515 5.2", b'["ES256"]'),
    _header("a header that is no JSON", "RFC 7515 5.2", b"ES256"),
    _header("an empty header object", "RFC 7515 4.1.1: alg must be present", b"{}"),
    _header("alg twice", "RFC 7515 4", b'{"alg": "ES256", "kid": "ES256", "alg": "none"}'),
    _header("alg twice, the good one last", "RFC 7515 4", b'{"alg": "none", "kid": "ES256", "alg": "ES256"}'),
    _header("kid twice", "RFC 7515 4", b'{"alg": "ES256", "kid": "x", "kid": "ES256"}'),
    _header(
        "kid twice, once in escapes", "RFC 7515 4", b'{"alg": "ES256", "kid": "ES256", "\\u006bid": "ES256"}'
    ),
    _header(
        "a nested name twice in the header",
        "RFC 7515 4",
        b'{"alg": "ES256", "jwk": {"kty": "EC", "kty": "RSA"}}',
    ),
    _header(
        "a header nested 17 deep", "RFC 8259 9", b'{"alg": "ES256", "x": ' + b"[" * 16 + b"]" * 16 + b"}"
    ),
    _header("a header in Latin-1", "RFC 8725 3.7", b'{"alg": "ES256", "kid": "\xe9"}'),
]

ATTACKS = [*SEGMENTS, *BASE64URL, *JSON_TEXT]

assert HEADER["alg"] == "ES256"
