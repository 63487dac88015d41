"""Parses a JWS in compact serialization (RFC 7515 section 7.1) that carries a JWT claims set (RFC 7519).

Nothing parsed here is trusted yet. Header members that name or carry a key (``jku``, ``jwk``, ``x5u``,
``x5c``, ``x5t``) are ignored everywhere in keyturn (RFC 8725 section 3.10).
"""

from functools import lru_cache
from typing import Any, Final

import msgspec

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.algorithms import ALGORITHMS, Algorithm
from keyturn_shared.jose.claims import refuse_mistyped
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, MalformedError

MAX_TOKEN_BYTES: Final = 16 * 1024
MAX_KID_CHARACTERS: Final = 512

# ``crit`` names extensions that must be understood, and keyturn knows none (RFC 7515 4.1.11). ``b64`` (RFC
# 7797), ``zip`` and ``enc`` (RFC 7516) would change the meaning of the other segments.
_REFUSED_MEMBERS: Final = ("crit", "b64", "zip", "enc")

# A client signs every assertion under the same header, so parsed headers are cached. Refusals and long
# headers are not: the cache holds at most 2 MiB of what callers sent.
_CACHED_HEADERS: Final = 2048
_MAX_CACHED_HEADER_BYTES: Final = 1024


class JoseHeader(msgspec.Struct, frozen=True, gc=False):
    """The members of a JOSE header that keyturn reads."""

    algorithm: Algorithm
    kid: str | None
    typ: str | None

    def is_type(self, media_type: str) -> bool:
        """Return whether ``typ`` is this media type, given without ``application/`` (RFC 7515 4.1.9)."""
        return self.typ is not None and self.typ.lower().removeprefix("application/") == media_type.lower()


class UnverifiedToken(msgspec.Struct, frozen=True, gc=False):
    """A well-formed token. Only ``verify_signature`` tells whether anything in it is true."""

    header: JoseHeader
    claims: dict[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes


def parse_compact(token: str | bytes, *, max_bytes: int = MAX_TOKEN_BYTES) -> UnverifiedToken:
    """Parse a token strictly. Raises MalformedError for anything that is not exactly one JWS with a claims
    set in canonical form, and AlgorithmNotAllowedError for an unknown ``alg``, including ``none``."""
    if len(token) > max_bytes:
        raise MalformedError(f"longer than {max_bytes} bytes")
    if isinstance(token, str):
        try:
            token = token.encode("ascii")
        except UnicodeEncodeError:
            raise MalformedError("a character outside ASCII") from None
    signing_input, _, signature = token.rpartition(b".")
    header_segment, _, payload_segment = signing_input.partition(b".")
    if not header_segment or not payload_segment or b"." in payload_segment:
        raise MalformedError("not three segments")
    read_header = _read_header_once if len(header_segment) <= _MAX_CACHED_HEADER_BYTES else _read_header
    header = read_header(header_segment)
    payload = base64url.decode(payload_segment)
    claims = strict_json.decode_object(payload)
    refuse_mistyped(claims)
    return UnverifiedToken(header, claims, payload, signing_input, base64url.decode(signature))


def _read_header(segment: bytes) -> JoseHeader:
    members = strict_json.decode_object(base64url.decode(segment))
    for name in _REFUSED_MEMBERS:
        if name in members:
            raise MalformedError(f"header member {name}")
    for name in ("alg", "kid", "typ", "cty"):
        if not isinstance(members.get(name, ""), str):
            raise MalformedError(f"header member {name} is not a string")
    if "alg" not in members:
        raise MalformedError("no alg in the header")
    kid: str | None = members.get("kid")
    if kid is not None and len(kid) > MAX_KID_CHARACTERS:
        raise MalformedError(f"a kid of more than {MAX_KID_CHARACTERS} characters")
    algorithm = ALGORITHMS.get(members["alg"])
    if algorithm is None:
        raise AlgorithmNotAllowedError(f"alg {members['alg'][:40]!r}")
    return JoseHeader(algorithm, kid, members.get("typ"))


_read_header_once = lru_cache(maxsize=_CACHED_HEADERS)(_read_header)
