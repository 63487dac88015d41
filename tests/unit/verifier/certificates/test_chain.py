"""Only what a trusted authority has issued for clients is trusted, and only while it is valid."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError
from keyturn_verifier.certificates.chain import ChainCheck
from keyturn_verifier.certificates.client_certificate import read_client_certificate
from keyturn_verifier.errors import UntrustedCertificateError
from tests.support.certificates import DAY, Issued, issue, make_authority

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
