"""Distinguished names are equal however they are written, and different if any part is."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from keyturn_shared.certificates.distinguished_names import (
    name_parts,
    name_texts,
    read_distinguished_name,
)
from keyturn_shared.certificates.errors import InvalidNameError

_TYPES = st.sampled_from(
    [
        *(NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME),
        *(NameOID.EMAIL_ADDRESS, NameOID.SERIAL_NUMBER, NameOID.USER_ID, x509.ObjectIdentifier("1.2.3.4")),
    ]
)
_VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
).filter(lambda value: value.strip())
_PARTS = st.builds(lambda kind, value: x509.NameAttribute(kind, value, _validate=False), _TYPES, _VALUES)
_RDNS = st.lists(_PARTS, min_size=1, max_size=2, unique_by=lambda part: part.oid).map(
    x509.RelativeDistinguishedName
)
_NAMES = st.lists(_RDNS, min_size=1, max_size=4).map(x509.Name)


@given(_NAMES)
@example(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "\xa0#", _validate=False)]))
def test_a_name_is_found_again_in_its_own_texts(name: x509.Name) -> None:
    for text in name_texts(name):
        assert read_distinguished_name(text) == name_parts(name)


@given(_NAMES, _NAMES)
def test_names_are_equal_only_if_their_parts_are(one: x509.Name, other: x509.Name) -> None:
    if read_distinguished_name(name_texts(one)[0]) == name_parts(other):
        assert [len(rdn) for rdn in one.rdns] == [len(rdn) for rdn in other.rdns]
        assert [{part.oid for part in rdn} for rdn in one.rdns] == [
            {part.oid for part in rdn} for rdn in other.rdns
        ]


@pytest.mark.parametrize(
    "text",
    [
        r"CN=Doe\, John+UID=7,OU=Ops,O=Acme Ltd",
        r"cn=doe\2c john + uid=7 , ou=OPS , o=Acme   Ltd ",
        r'UID=7+CN="Doe, John", OU=Ops; O=acme ltd',
        r"CN=Doe\2C\20John+0.9.2342.19200300.100.1.1=7,2.5.4.11=#0c034f7073,OID.2.5.4.10=Acme Ltd",
        "CN=Doe\\, John+UID=7,OU=Ops,O=A\N{LATIN SMALL LIGATURE FI}".replace(
            "\N{LATIN SMALL LIGATURE FI}", "cme Ltd"
        ),
    ],
)
def test_texts_of_one_name_are_equal(text: str) -> None:
    expected = (
        frozenset({("2.5.4.10", "acme ltd")}),
        frozenset({("2.5.4.11", "ops")}),
        frozenset({("2.5.4.3", "doe, john"), ("0.9.2342.19200300.100.1.1", "7")}),
    )
    assert read_distinguished_name(text) == expected


@pytest.mark.parametrize(
    "other",
    [
        "O=Acme,CN=worker",
        "CN=worker",
        "CN=worker,O=Acme,C=DE",
        "CN=worker+O=Acme",
        "CN=workers,O=Acme",
        "OU=worker,O=Acme",
    ],
)
def test_order_grouping_and_values_tell_names_apart(other: str) -> None:
    assert read_distinguished_name(other) != read_distinguished_name("CN=worker,O=Acme")


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "worker", "CN", "=a", "CN=a,", "CN=a,,O=b", "CN=a+", "XX=a", "1=a", "CN=a<b", "CN=#zz"),
        *(
            "CN=#02",
            "CN=#0c05aa",
            "CN=#020101",
            "CN=#0c02c3c3",
            r"CN=\ff",
            'CN="a',
            'CN="a"b',
            "CN=" + "a" * 3000,
        ),
        *("CN=a\\", "CN=a\x00b"),
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidNameError):
        read_distinguished_name(text)
