"""ASN.1: DER written, BER read, nothing assumed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import KeyStoreError, LimitExceededError, MalformedFileError


def indefinite(tag: int, *elements: bytes) -> bytes:
    return bytes([tag, 0x80]) + b"".join(elements) + b"\0\0"


@given(st.binary(max_size=70_000))
def test_an_octet_string_of_any_length_is_read_as_it_was_written(octets: bytes) -> None:
    assert asn1.Reader(asn1.definite(asn1.octet_string(octets))).octets() == octets


@given(st.integers(0, 2**64 - 1))
def test_an_integer_is_read_as_it_was_written(number: int) -> None:
    assert asn1.Reader(asn1.integer(number)).integer() == number


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("1.2.840.113549.1.7.1", "2a864886f70d010701"),
        ("2.5.29.37.0", "551d2500"),
        ("1.3.6.1.4.1.42.2.17.1.1", "2b060104012a02110101"),
        ("2.16.840.1.113894.746875.1.1", "6086480186f966adca7b0101"),
    ],
)
def test_object_identifiers_are_encoded(dotted: str, encoded: str) -> None:
    assert asn1.oid(dotted).hex() == encoded


def test_der_stays_as_it_is() -> None:
    der = asn1.sequence(asn1.integer(3), asn1.octet_string(b"x" * 300), asn1.element(asn1.context(0), b""))
    assert asn1.definite(der) == der


def test_indefinite_lengths_become_definite_ones_at_any_depth() -> None:
    ber = indefinite(asn1.SEQUENCE, asn1.integer(3), indefinite(asn1.context(0), asn1.octet_string(b"abc")))
    der = asn1.sequence(asn1.integer(3), asn1.element(asn1.context(0), asn1.octet_string(b"abc")))
    assert asn1.definite(ber) == der


def test_an_octet_string_in_pieces_is_put_together() -> None:
    inner = indefinite(0x24, asn1.octet_string(b"b"), asn1.element(0x24, asn1.octet_string(b"c")))
    ber = indefinite(0x24, asn1.octet_string(b"a"), inner)
    assert asn1.definite(ber) == asn1.octet_string(b"abc")


def test_lengths_in_more_octets_than_needed_are_read() -> None:
    assert asn1.definite(bytes.fromhex("0484000000026162")) == asn1.octet_string(b"ab")


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "30",
        "3005",
        "30050201",
        "3080",
        "30800201",
        "048061620000",
        "0485000000000261",
        "1f8101026162",
        "308400ffffff",
        "300201",
        "02010300",
        "0000",
        "2403020101",
    ],
)
def test_what_is_cut_off_or_contradicts_itself_is_malformed(encoded: str) -> None:
    with pytest.raises(MalformedFileError):
        data = asn1.definite(bytes.fromhex(encoded))
        asn1.Reader(data).sequence().sequence()


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    try:
        encoded = asn1.definite(data)
    except KeyStoreError:
        return
    assert asn1.definite(encoded) == encoded


@pytest.mark.parametrize("tag", [asn1.SEQUENCE, 0x24])
def test_nesting_has_an_end(tag: int) -> None:
    with pytest.raises(LimitExceededError):
        asn1.definite(bytes([tag, 0x80]) * 100_000)


def test_the_number_of_elements_has_an_end() -> None:
    with pytest.raises(LimitExceededError):
        asn1.definite(asn1.sequence(b"\x05\x00" * 20_001))


@pytest.mark.parametrize("encoded", ["0200", "0201ff", "020a00ffffffffffffffffff"])
def test_numbers_are_not_negative_nor_huge(encoded: str) -> None:
    with pytest.raises(MalformedFileError):
        asn1.Reader(bytes.fromhex(encoded)).integer()
