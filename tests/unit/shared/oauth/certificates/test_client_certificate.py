"""A presented certificate, as it is read and timed."""

import base64
import hashlib

import pytest

from keyturn_shared.oauth.certificates.client_certificate import (
    MAX_CERTIFICATE_BYTES,
    MAX_INTERMEDIATES,
    read_client_certificate,
)
from keyturn_shared.oauth.errors import CertificateNotValidError, MalformedCertificateError
from tests.testkit.certificates import issue

ISSUED = issue(None)
OTHERS = tuple(issue(None).der for _ in range(MAX_INTERMEDIATES))


def test_it_is_known_by_the_digest_of_its_octets() -> None:
    read = read_client_certificate(ISSUED.der)
    digest = base64.urlsafe_b64encode(hashlib.sha256(ISSUED.der).digest()).decode().rstrip("=")
    assert (read.thumbprint, read.certificate, read.intermediates) == (digest, ISSUED.certificate, ())
    assert not read.chain_checked
    assert read.key.thumbprint == ISSUED.thumbprint
    assert read.key is read.key


def test_what_tls_has_checked_is_another_than_what_a_header_says() -> None:
    checked = read_client_certificate(ISSUED.der, chain_checked=True)
    assert checked.chain_checked
    assert checked != read_client_certificate(ISSUED.der)


def test_a_chain_has_at_most_eight_others() -> None:
    read = read_client_certificate(ISSUED.der, OTHERS)
    assert len(read.intermediates) == MAX_INTERMEDIATES
    with pytest.raises(MalformedCertificateError, match="more than 8 certificates"):
        read_client_certificate(ISSUED.der, (*OTHERS, ISSUED.der))


@pytest.mark.parametrize(
    ("der", "message"),
    [
        (b"", "not an X.509 certificate"),
        (b"\x30\x00", "not an X.509 certificate"),
        (bytes(MAX_CERTIFICATE_BYTES), "not an X.509 certificate"),
        (bytes(MAX_CERTIFICATE_BYTES + 1), "more than 16384 bytes"),
    ],
)
def test_what_is_no_certificate_is_malformed_also_in_a_chain(der: bytes, message: str) -> None:
    for arguments in ((der,), (ISSUED.der, (der,))):
        with pytest.raises(MalformedCertificateError) as refused:
            read_client_certificate(*arguments)
        assert message in refused.value.detail


def test_it_is_valid_in_its_time_by_any_clock_within_the_leeway() -> None:
    read = read_client_certificate(ISSUED.der)
    begins = read.certificate.not_valid_before_utc.timestamp()
    ends = read.certificate.not_valid_after_utc.timestamp()
    for now in (begins - 15, begins, ends, ends + 15):
        read.require_time(now, 15)
    with pytest.raises(CertificateNotValidError, match="not valid yet"):
        read.require_time(begins - 16, 15)
    with pytest.raises(CertificateNotValidError, match="has expired"):
        read.require_time(ends + 16, 15)
