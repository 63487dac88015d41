"""Distinguished names: parsed from text (RFC 4514) and compared as X.520 and RFC 5280 section 7.1 require.

Two texts of one name may differ in spaces, case, escapes and the order of a multi-valued RDN, so names are
compared part by part and not as text.
"""

import re
import unicodedata
from typing import Final

from cryptography import x509

from keyturn_shared.certificates.errors import InvalidNameError

MAX_CHARACTERS: Final = 2048

# RFC 4514 section 3, and the other keywords of Java's X500Principal: Keycloak's attributes use both.
_KEYWORDS: Final = {
    "CN": "2.5.4.3",
    "SN": "2.5.4.4",
    "SURNAME": "2.5.4.4",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "S": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "T": "2.5.4.12",
    "TITLE": "2.5.4.12",
    "GIVENNAME": "2.5.4.42",
    "INITIALS": "2.5.4.43",
    "GENERATION": "2.5.4.44",
    "DNQ": "2.5.4.46",
    "DNQUALIFIER": "2.5.4.46",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "E": "1.2.840.113549.1.9.1",
    "EMAIL": "1.2.840.113549.1.9.1",
    "EMAILADDRESS": "1.2.840.113549.1.9.1",
}
_SHOWN: Final = {
    x509.ObjectIdentifier(_KEYWORDS[keyword]): keyword
    for keyword in ("SERIALNUMBER", "SURNAME", "GIVENNAME", "INITIALS", "GENERATION", "T", "EMAILADDRESS")
}
_ENCODINGS: Final = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1E: "utf-16-be",
}

# ASCII: other spaces, such as a no-break space, are part of a value.
_TYPE: Final = re.compile(
    r"\s*(?:OID\.)?([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)\s*=\s*", re.IGNORECASE | re.ASCII
)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*', re.DOTALL | re.ASCII)
_HEX: Final = re.compile(r"#((?:[0-9A-Fa-f]{2})+)\s*", re.ASCII)
_PLAIN: Final = re.compile(r'((?:[^",;+<>\\\x00]|\\.)*)', re.DOTALL)
_ESCAPED: Final = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)

_Part = tuple[str, str]
DistinguishedName = tuple[frozenset[_Part], ...]
"""RDNs, the most specific one last; each is the set of its attribute types (dotted) and normalised values."""


def read_distinguished_name(text: str) -> DistinguishedName:
    """Parse a name in RFC 4514 form. Spaces around separators, ``;`` and quotes as in RFC 1779 are accepted.
    Raises InvalidNameError."""
    if not text.strip() or len(text) > MAX_CHARACTERS:
        raise InvalidNameError(f"a distinguished name must be 1 to {MAX_CHARACTERS} characters long")
    names: list[frozenset[_Part]] = []
    parts: list[_Part] = []
    position = 0
    while True:
        part, position = _read_part(text, position)
        parts.append(part)
        separator = text[position : position + 1]
        if separator != "+":
            names.append(frozenset(parts))
            parts = []
        if not separator:
            return tuple(reversed(names))
        if separator not in ",;+":
            raise InvalidNameError(f"{separator!r} at character {position + 1} must be escaped")
        position += 1


def name_parts(name: x509.Name) -> DistinguishedName:
    """Return a certificate's name in comparable form."""
    return tuple(
        frozenset((attribute.oid.dotted_string, _normalised(_text_of(attribute.value))) for attribute in rdn)
        for rdn in name.rdns
    )


def name_texts(name: x509.Name) -> tuple[str, str]:
    """Return a name in RFC 4514 form, and with spaces after the commas like Java's ``toString``. Patterns
    were written for one form or the other."""
    parts = [rdn.rfc4514_string(_SHOWN) for rdn in reversed(name.rdns)]
    return ",".join(parts), ", ".join(parts)


def _read_part(text: str, position: int) -> tuple[_Part, int]:
    found = _TYPE.match(text, position)
    if found is None:
        raise InvalidNameError(f"an attribute type and '=' expected at character {position + 1}")
    keyword = found[1]
    identifier = keyword if keyword[0].isdigit() else _KEYWORDS.get(keyword.upper())
    if identifier is None:
        raise InvalidNameError(f"attribute type {keyword[:40]!r} is not known; use its OID instead")
    position = found.end()
    if quoted := _QUOTED.match(text, position):
        return (identifier, _normalised(_unescaped(quoted[1]))), quoted.end()
    if encoded := _HEX.match(text, position):
        return (identifier, _normalised(_decoded(bytes.fromhex(encoded[1])))), encoded.end()
    plain = _PLAIN.match(text, position)
    assert plain is not None  # noqa: S101 - it matches nothing at all, too
    if plain[1].startswith("#"):
        raise InvalidNameError(f"'#' at character {position + 1} must be escaped")
    return (identifier, _normalised(_unescaped(plain[1]))), plain.end()


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        if found[1] is None:
            return str(found[2])
        try:
            return bytes.fromhex(found[1].replace("\\", "")).decode()
        except UnicodeDecodeError:
            raise InvalidNameError("escaped bytes are not UTF-8") from None

    return _ESCAPED.sub(character, text)


def _decoded(der: bytes) -> str:
    """Decode a DER string type of ASN.1 with a short length, as introduced by ``#``."""
    encoding = _ENCODINGS.get(der[0])
    if encoding is None or len(der) < 2 or der[1] != len(der) - 2 or der[1] > 0x7F:
        raise InvalidNameError("what follows '#' is not a string in DER")
    try:
        return der[2:].decode(encoding)
    except UnicodeDecodeError:
        raise InvalidNameError("what follows '#' is not a string in DER") from None


def _text_of(value: str | bytes) -> str:
    return value if isinstance(value, str) else f"#{value.hex()}"


def _normalised(value: str) -> str:
    """Normalise a value by RFC 4518 as far as certificate names need it: case, spaces, compatibility
    forms."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
