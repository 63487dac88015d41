"""Certificates in proxies' headers: RFC 9440, nginx and Traefik; nothing else."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.oauth.certificates.client_certificate import read_client_certificate
from keyturn_shared.oauth.certificates.headers import (
    MAX_CHAIN_BYTES,
    read_byte_sequence,
    read_byte_sequences,
    read_escaped_pem,
)
from keyturn_shared.oauth.errors import MalformedCertificateError
from tests.testkit.certificates import issue

ONE, OTHER = issue(None), issue(None)


def sequence(octets: bytes) -> str:
    return f":{base64.b64encode(octets).decode()}:"


def test_a_certificate_and_its_chain_are_read_as_rfc_9440_writes_them() -> None:
    assert read_byte_sequence(sequence(ONE.der)) == ONE.der
    together = [f"{sequence(ONE.der)} , {sequence(OTHER.der)}"]
    apart = [sequence(ONE.der), sequence(OTHER.der)]
    assert read_byte_sequences(together) == read_byte_sequences(apart) == (ONE.der, OTHER.der)
    assert read_byte_sequences([]) == ()


def test_a_certificate_is_read_as_nginx_and_traefik_write_it() -> None:
    assert read_escaped_pem(quote(ONE.pem)) == (ONE.der,)
    assert read_escaped_pem(quote(ONE.pem + OTHER.pem, safe="")) == (ONE.der, OTHER.der)
    bodies = [base64.b64encode(each.der).decode() for each in (ONE, OTHER)]
    assert read_escaped_pem(",".join(bodies)) == (ONE.der, OTHER.der)
    assert read_escaped_pem(quote(bodies[0])) == (ONE.der,)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ":",
        "::x",
        "YWJj",
        ":YWJj",
        "YWJj:",
        ":YW:Jj:",
        ":YWJj:;a=b",
        ":YWJ:",
        ":Y-_j:",
        "\t:YWJj:",
        "X:YWJj:X",
        ":YWJjX",
        "XYWJj:",
    ],
)
def test_what_is_no_byte_sequence_is_refused(value: str) -> None:
    with pytest.raises(MalformedCertificateError):
        read_byte_sequence(value)


@pytest.mark.parametrize(
    "value",
    [
        "not base64!",
        quote(ONE.pem.replace(b"CERTIFICATE", b"PRIVATE KEY")),
        quote(ONE.pem + b"trailing"),
        "-----BEGIN CERTIFICATE-----" + " " * 60_000,  # in linear time
        quote(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"),
        "A" * 70_000,
    ],
)
def test_what_is_no_pem_is_refused(value: str) -> None:
    with pytest.raises(MalformedCertificateError):
        read_escaped_pem(value)


@given(st.text(max_size=60))
def test_whatever_a_header_says_is_octets_or_refused(value: str) -> None:
    for read in (read_byte_sequence, read_escaped_pem, lambda text: read_byte_sequences([text])):
        try:
            read(value)
        except MalformedCertificateError:
            continue


@given(st.binary(max_size=200))
def test_octets_that_are_no_certificate_are_refused(der: bytes) -> None:
    with pytest.raises(MalformedCertificateError):
        read_client_certificate(der)


def test_a_certificate_or_chain_that_is_too_large_is_refused() -> None:
    with pytest.raises(MalformedCertificateError):
        read_client_certificate(ONE.der + b"\0" * 20_000)
    with pytest.raises(MalformedCertificateError):
        read_client_certificate(ONE.der, (OTHER.der,) * 9)


def test_the_smallest_byte_sequences_are_read() -> None:
    assert read_byte_sequence(" :YQ==:  ") == b"a"


def test_empty_elements_of_a_list_are_ignored_and_nothing_else() -> None:
    """RFC 9110 section 5.6.1.2."""
    assert read_byte_sequences([" \t, :YQ==:,,", ""]) == (b"a",)
    for other in ("\n", "X", "\u00a0"):
        with pytest.raises(MalformedCertificateError):
            read_byte_sequences([f":YQ==:,{other}"])


def test_a_chain_may_be_as_long_as_the_limit() -> None:
    longest = ":YQ==:" + "," * (MAX_CHAIN_BYTES - 6)
    assert read_byte_sequences([longest]) == (b"a",)
    with pytest.raises(MalformedCertificateError, match="too long"):
        read_byte_sequences([longest + ","])
    body = "YWJj" * (MAX_CHAIN_BYTES // 4)
    assert read_escaped_pem(body) == (b"abc" * (MAX_CHAIN_BYTES // 4),)
    with pytest.raises(MalformedCertificateError, match="too long"):
        read_escaped_pem(body + "YWJj")
