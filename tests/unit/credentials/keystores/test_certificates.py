"""Certificates: created for a client, and checked."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from keyturn_credentials.keystores import KeyPairKind, self_signed_certificate
from keyturn_credentials.keystores.certificates import check_chain, load_certificate
from keyturn_credentials.keystores.errors import (
    CertificateExpiredError,
    CertificateNotYetValidError,
    WeakKeyError,
    WeakSignatureError,
)
from keyturn_shared.keystores.errors import (
    InvalidParameterError,
    KeyStoreError,
    MalformedFileError,
    UnsupportedAlgorithmError,
)
from tests.testkit.key_material import (
    NOW,
    chain_of_three,
    issued,
    key_pair,
)
from tests.testkit.weak_certificates import RSA_1024, SIGNED_OVER_SHA1


def common_name(certificate: x509.Certificate) -> str:
    (attribute,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attribute.value)


@pytest.mark.parametrize("kind", KeyPairKind)
def test_a_certificate_names_the_client_and_is_signed_with_its_own_key(kind: KeyPairKind) -> None:
    certificate = self_signed_certificate(key_pair(kind), "my-client", now=NOW)
    assert common_name(certificate) == "my-client"
    assert certificate.public_key() == key_pair(kind).public_key
    certificate.verify_directly_issued_by(certificate)
    check_chain((certificate,), NOW)


@pytest.mark.parametrize(
    ("now", "years", "end"),
    [
        (datetime(2026, 11, 24, 12, tzinfo=UTC), 3, datetime(2029, 11, 24, 12, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), 1, datetime(2029, 2, 28, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), 4, datetime(2032, 2, 29, tzinfo=UTC)),
        (
            datetime(2029, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
            1,
            datetime(2029, 12, 31, 23, tzinfo=UTC),
        ),
    ],
)
def test_validity_is_counted_in_calendar_years(now: datetime, years: int, end: datetime) -> None:
    certificate = self_signed_certificate(key_pair(), "c", now=now, validity_years=years)
    assert certificate.not_valid_before_utc == now - timedelta(seconds=100)
    assert certificate.not_valid_after_utc == end


@pytest.mark.parametrize("years", [0, -1, 101, 10**9])
def test_a_validity_that_cannot_be_is_refused(years: int) -> None:
    with pytest.raises(InvalidParameterError):
        self_signed_certificate(key_pair(), "c", now=NOW, validity_years=years)


@pytest.mark.parametrize(
    ("client_id", "expected"),
    [
        ("x" * 65, "x" * 64),
        ("ä" * 40, "ä" * 32),
        ("x" + "ä" * 40, "x" + "ä" * 31),
        ('https://a.example/?q="b", c=d', 'https://a.example/?q="b", c=d'),
    ],
)
def test_a_client_id_too_long_for_a_common_name_is_cut_off(client_id: str, expected: str) -> None:
    assert common_name(self_signed_certificate(key_pair(), client_id, now=NOW)) == expected


@pytest.mark.parametrize("client_id", ["", "\ud800"])
def test_a_client_id_that_no_certificate_can_hold_is_refused(client_id: str) -> None:
    with pytest.raises(InvalidParameterError):
        self_signed_certificate(key_pair(), client_id, now=NOW)


def test_a_certificate_is_good_from_its_first_second_to_its_last() -> None:
    certificate = issued("c", "c", begin=NOW, end=NOW + timedelta(days=1))
    check_chain((certificate,), NOW)
    check_chain((certificate,), NOW + timedelta(days=1))
    with pytest.raises(CertificateNotYetValidError, match="CN=c is valid from 2026-11-24T12:00:00Z"):
        check_chain((certificate,), NOW - timedelta(seconds=1))
    with pytest.raises(CertificateExpiredError, match="CN=c expired at 2026-11-25T12:00:00Z"):
        check_chain((certificate,), NOW + timedelta(days=1, seconds=1))


def test_an_expired_issuer_is_named() -> None:
    leaf, _, root = chain_of_three()
    old = issued("intermediate", "root", number=1, issuer_number=2, end=NOW - timedelta(hours=1))
    with pytest.raises(CertificateExpiredError, match="CN=intermediate"):
        check_chain((leaf, old, root), NOW)


def test_a_key_of_1024_bits_is_weak() -> None:
    with pytest.raises(WeakKeyError, match="1024 bits"):
        check_chain((load_certificate(RSA_1024),), NOW)


def test_a_signature_over_sha1_is_weak_on_a_clients_certificate() -> None:
    with pytest.raises(WeakSignatureError, match="SHA1"):
        check_chain((load_certificate(SIGNED_OVER_SHA1),), NOW)


def test_a_root_is_not_trusted_for_its_own_signature_so_that_may_be_old() -> None:
    leaf, intermediate, _ = chain_of_three()
    check_chain((leaf, intermediate, load_certificate(SIGNED_OVER_SHA1)), NOW)


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP192R1()])
def test_a_curve_that_no_algorithm_is_for_is_refused(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "c")])
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    with pytest.raises(UnsupportedAlgorithmError, match=curve.name):
        check_chain((certificate,), NOW)


def test_an_rsa_key_too_large_to_verify_with_is_refused() -> None:
    modulus = (1 << 8999) | 1
    key = rsa.RSAPublicNumbers(65537, modulus).public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "c")])
    certificate = x509.CertificateBuilder(name, name, key, 1, NOW, NOW + timedelta(days=1)).sign(
        key_pair().reveal(), hashes.SHA256()
    )
    with pytest.raises(KeyStoreError):
        check_chain((certificate,), NOW)


def test_a_damaged_certificate_is_malformed() -> None:
    with pytest.raises(MalformedFileError):
        load_certificate(RSA_1024[:-1])
