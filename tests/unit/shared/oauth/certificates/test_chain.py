"""Only certificates that a trusted authority issued for clients are trusted, and only while valid."""

import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.oauth.certificates import chain
from keyturn_shared.oauth.certificates.chain import ChainCheck
from keyturn_shared.oauth.certificates.client_certificate import read_client_certificate
from keyturn_shared.oauth.errors import UntrustedCertificateError
from tests.testkit.certificates import DAY, Issued, issue, make_authority

ROOT = make_authority("CN=Root")


class MovedClock(SystemClock):
    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


def trusts(leaf: Issued, *intermediates: Issued, root: Issued = ROOT) -> bool:
    check = ChainCheck.from_pem(root.pem, SystemClock())
    try:
        check.require(read_client_certificate(leaf.der, tuple(each.der for each in intermediates)))
    except UntrustedCertificateError:
        return False
    return True


@pytest.mark.parametrize(
    "usages", [(ExtendedKeyUsageOID.CLIENT_AUTH,), (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), None]
)
def test_what_the_authority_issued_for_clients_is_trusted(
    usages: tuple[x509.ObjectIdentifier, ...] | None,
) -> None:
    assert trusts(issue(ROOT, usages=usages))
    assert trusts(issue(ROOT, key=rsa.generate_private_key(65537, 2048), usages=usages))
    assert trusts(issue(ROOT, key=ec.generate_private_key(ec.SECP384R1()), usages=usages))


def test_a_chain_through_an_intermediate_is_trusted_if_it_is_whole() -> None:
    intermediate = make_authority("CN=Intermediate", ROOT)
    leaf = issue(intermediate)
    assert trusts(leaf, intermediate)
    assert not trusts(leaf)


def test_others_are_not_trusted() -> None:
    other = make_authority("CN=Root")
    assert not trusts(issue(other)), "the same name, another key"
    assert not trusts(issue(other), other)
    assert not trusts(issue(None)), "self-signed"
    assert not trusts(issue(ROOT, usages=(ExtendedKeyUsageOID.SERVER_AUTH,))), "for servers"


@pytest.mark.parametrize(
    ("usages", "trusted"),
    [
        (None, True),
        ((ExtendedKeyUsageOID.CLIENT_AUTH,), True),
        ((ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH), True),
        ((ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), True),
        ((ExtendedKeyUsageOID.SERVER_AUTH,), False),
        ((ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.CODE_SIGNING), False),
    ],
)
def test_an_authority_for_other_purposes_makes_no_clients(
    usages: tuple[x509.ObjectIdentifier, ...] | None, trusted: bool
) -> None:
    """An intermediate for servers alone is more widespread, and less protected. The same holds further up."""
    intermediate = make_authority("CN=Intermediate", ROOT, usages=usages)
    leaf = issue(intermediate)
    assert trusts(leaf, intermediate) == trusted
    below = make_authority("CN=Below", intermediate, usages=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    assert trusts(issue(below), below, intermediate) == trusted


def test_a_client_is_no_authority() -> None:
    client = issue(ROOT, "CN=client")
    assert not trusts(issue(client), client)


def test_an_authority_below_one_that_may_have_none_is_not_trusted() -> None:
    last = make_authority("CN=Last", ROOT, path_length=0)
    below = make_authority("CN=Below", last)
    assert trusts(issue(last), last)
    assert not trusts(issue(below), below, last)


def test_expired_and_future_certificates_are_not_trusted() -> None:
    assert not trusts(issue(ROOT, begins=-2 * DAY, ends=-DAY))
    assert not trusts(issue(ROOT, begins=DAY, ends=2 * DAY))


def test_a_chain_that_held_is_not_trusted_beyond_its_time() -> None:
    clock = MovedClock()
    check = ChainCheck.from_pem(ROOT.pem, clock)
    certificate = read_client_certificate(issue(ROOT, ends=timedelta(hours=1)).der)
    check.require(certificate)
    check.require(certificate)
    clock.ahead = 3601
    with pytest.raises(UntrustedCertificateError):
        check.require(certificate)


def test_what_tls_of_this_server_has_checked_is_not_checked_again() -> None:
    check = ChainCheck.from_pem(ROOT.pem, SystemClock())
    check.require(read_client_certificate(issue(None).der, chain_checked=True))


@pytest.mark.parametrize(
    "pem", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_authorities_that_cannot_be_read_stop_the_start(pem: bytes) -> None:
    with pytest.raises(ConfigurationError):
        ChainCheck.from_pem(pem, SystemClock())


@pytest.mark.parametrize(("may_sign", "trusted"), [(True, True), (None, True), (False, False)])
def test_an_authority_whose_key_may_not_sign_certificates_makes_no_clients(
    may_sign: bool | None, trusted: bool
) -> None:
    intermediate = make_authority("CN=Intermediate", ROOT, may_sign=may_sign)
    assert trusts(issue(intermediate), intermediate) is trusted


def test_a_chain_is_checked_once_until_a_part_of_it_expires() -> None:
    check = ChainCheck.from_pem(ROOT.pem, clock := MovedClock())
    short = make_authority("CN=Short", ROOT)
    certificate = read_client_certificate(issue(short, ends=timedelta(hours=1)).der, (short.der,))
    check.require(certificate)
    check._builder = None  # type: ignore[assignment]  # nobody may ask it
    check.require(certificate)
    ends = certificate.certificate.not_valid_after_utc.timestamp()
    clock.now = lambda: ends - 0.001  # type: ignore[method-assign]  # that very moment
    check.require(certificate)
    clock.now = lambda: ends  # type: ignore[method-assign]  # that very moment
    with pytest.raises(AttributeError):
        check.require(certificate)


def test_of_many_chains_the_last_ones_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_KEPT", 2)
    check = ChainCheck.from_pem(ROOT.pem, SystemClock())
    certificates = [read_client_certificate(issue(ROOT).der) for _ in range(3)]
    for certificate in certificates:
        check.require(certificate)
    assert list(check._good_until) == certificates[1:]


def test_validity_is_a_matter_of_universal_time(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = issue(ROOT, begins=-timedelta(hours=1), ends=timedelta(hours=1))
    try:
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert trusts(certificate)
    finally:
        monkeypatch.undo()
        time.tzset()
