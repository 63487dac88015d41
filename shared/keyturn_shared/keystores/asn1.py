"""ASN.1 as far as PKCS #12, PKCS #5 and Java's key protector need it (ITU-T X.690): DER written, BER read.

``cryptography`` reads one key of a PKCS #12 file; it has no entries by name, no limit on iterations and no
Java trust attribute. So these structures are parsed and built here.
"""

from typing import Final

from keyturn_shared.keystores.errors import LimitExceededError, MalformedFileError

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
BMP_STRING: Final = 0x1E
SEQUENCE: Final = 0x30
SET: Final = 0x31

_CONSTRUCTED: Final = 0x20
_CONTEXT: Final = 0x80
_NUMBER: Final = 0x1F
_END_OF_CONTENTS: Final = b"\0\0"
_MAX_DEPTH: Final = 32
_MAX_ELEMENTS: Final = 20_000
_MAX_SHOWN: Final = 24


def context(number: int) -> int:
    """Return the tag of ``[number]`` around one other element, or before the parts of a constructed one."""
    return _CONTEXT | _CONSTRUCTED | number


def primitive_context(number: int) -> int:
    """Return the tag of ``[number] IMPLICIT`` before a primitive value."""
    return _CONTEXT | number


# ── writing ──


def element(tag: int, content: bytes) -> bytes:
    """Encode one element in DER."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def sequence(*elements: bytes) -> bytes:
    return element(SEQUENCE, b"".join(elements))


def set_of(*elements: bytes) -> bytes:
    return element(SET, b"".join(sorted(elements)))


def octet_string(octets: bytes) -> bytes:
    return element(OCTET_STRING, octets)


def integer(number: int) -> bytes:
    """Encode a non-negative INTEGER, with a leading zero octet if its highest bit is set."""
    return element(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def object_identifier(identifier: bytes) -> bytes:
    """Encode ``identifier`` as returned by ``oid``."""
    return element(OBJECT_IDENTIFIER, identifier)


def oid(dotted: str) -> bytes:
    """Encode the content octets of an OBJECT IDENTIFIER (X.690 section 8.19)."""
    first, second, *arcs = (int(arc) for arc in dotted.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *arcs):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(groups))
    return bytes(octets)


def dotted(identifier: bytes) -> str:
    """Decode what ``oid`` encoded; only the first arcs of one longer than any in use."""
    arcs, arc = [], 0
    for octet in identifier[:_MAX_SHOWN]:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2) if arcs else 0
    return ".".join(str(number) for number in (first, arcs[0] - 40 * first, *arcs[1:])) if arcs else "?"


# ── reading ──


class Reader:
    """Reads consecutive elements, each with an expected tag. Raises MalformedFileError. It accepts definite
    lengths only: input from outside must pass ``definite`` first."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def at_end(self) -> bool:
        return self._position == len(self._data)

    def next(self) -> tuple[int, bytes]:
        """Read tag and content of the next element, whatever it is."""
        tag, start, stop = _header(self._data, self._position, len(self._data))
        if stop is None:
            raise MalformedFileError("an indefinite length in a DER value")
        self._position = stop
        return tag, self._data[start:stop]

    def expect(self, tag: int) -> bytes:
        """Read the content of the next element, which must have this tag."""
        found, content = self.next()
        if found != tag:
            raise MalformedFileError(f"ASN.1 tag {found:#04x} where {tag:#04x} belongs")
        return content

    def optional(self, tag: int) -> bytes | None:
        """Read like ``expect`` if the next element has this tag; otherwise read nothing and return None."""
        if self.at_end or self._data[self._position] != tag:
            return None
        return self.expect(tag)

    def sequence(self) -> "Reader":
        return Reader(self.expect(SEQUENCE))

    def explicit(self, number: int) -> "Reader":
        """Read the contents of ``[number] EXPLICIT``."""
        return Reader(self.expect(context(number)))

    def octets(self) -> bytes:
        return self.expect(OCTET_STRING)

    def identifier(self) -> bytes:
        return self.expect(OBJECT_IDENTIFIER)

    def integer(self) -> int:
        """Read a small non-negative INTEGER, of at most 64 bits."""
        content = self.expect(INTEGER)
        number = int.from_bytes(content, "big", signed=True)
        if not 0 < len(content) <= 9 or number < 0:
            raise MalformedFileError("a negative or huge number")
        return number


def definite(data: bytes) -> bytes:
    """Convert one BER element to the subset for Reader: definite lengths, octet strings in one piece.

    Bouncy Castle and NSS write PKCS #12 in BER. Octets inside strings stay as they are, so a MAC or signature
    over them remains valid. Raises MalformedFileError, LimitExceededError.
    """
    normaliser = _Normaliser(data)
    encoded, position = normaliser.element(0, len(data), 0)
    if position != len(data):
        raise MalformedFileError("bytes after the end of an ASN.1 structure")
    return encoded


class _Normaliser:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._elements = 0

    def element(self, position: int, limit: int, depth: int) -> tuple[bytes, int]:
        """Rewrite the element at ``position``, and return where the next one begins."""
        self._elements += 1
        if depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise LimitExceededError("the ASN.1 is nested too deeply or has too many elements")
        tag, start, stop = _header(self._data, position, limit)
        if not tag & _CONSTRUCTED:
            if stop is None:
                raise MalformedFileError("an indefinite length of a primitive ASN.1 value")
            return element(tag, self._data[start:stop]), stop
        children, end = self._children(start, limit if stop is None else stop, stop is None, depth)
        if tag == OCTET_STRING | _CONSTRUCTED:
            return octet_string(joined_octets(b"".join(children))), end
        return element(tag, b"".join(children)), end

    def _children(self, position: int, limit: int, indefinite: bool, depth: int) -> tuple[list[bytes], int]:
        children: list[bytes] = []
        while indefinite or position < limit:
            if indefinite and self._data[position : position + 2] == _END_OF_CONTENTS:
                return children, position + 2
            child, position = self.element(position, limit, depth + 1)
            children.append(child)
        return children, position


def joined_octets(segments: bytes) -> bytes:
    """Join the segments of a constructed octet string."""
    reader = Reader(segments)
    octets = bytearray()
    while not reader.at_end:
        octets += reader.octets()
    return bytes(octets)


def _header(data: bytes, position: int, limit: int) -> tuple[int, int, int | None]:
    """Read the tag, the start of the content, and its end, or None for an indefinite length."""
    if position + 2 > limit:
        raise MalformedFileError("the ASN.1 ends too early")
    tag, length = data[position], data[position + 1]
    position += 2
    if tag & _NUMBER == _NUMBER:
        raise MalformedFileError("an ASN.1 tag number above 30")
    if length == 0x80:
        return tag, position, None
    if length > 0x80:
        size = length & 0x7F
        if size > 4 or position + size > limit:
            raise MalformedFileError("an ASN.1 length past the end of the file")
        length = int.from_bytes(data[position : position + size], "big")
        position += size
    if position + length > limit:
        raise MalformedFileError("an ASN.1 length past the end of the file")
    return tag, position, position + length
