"""Clients with certificates (RFC 8705 section 2): by name and authority, or by key."""

import time
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from keyturn_shared.oauth.certificates.chain import ChainCheck
from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate, read_client_certificate
from keyturn_shared.oauth.client_authentication.certificates import CertificateCheck
from keyturn_shared.oauth.client_authentication.credentials import Attempt, PresentedCertificate
from keyturn_shared.oauth.errors import (
    CertificateMismatchError,
    CertificateNotValidError,
    KeyRevokedError,
    UntrustedCertificateError,
)
from keyturn_shared.projection import ClientProjection
from tests.testkit.certificates import Issued, issue, make_authority
from tests.testkit.clocks import SetClock
from tests.testkit.oauth_scene import Keys, client, scene

ROOT, OTHER_ROOT = make_authority("CN=Root"), make_authority("CN=Other")
SUBJECT = "CN=worker,O=Acme"
NAMES = (
    x509.DNSName("worker.example"),
    x509.UniformResourceIdentifier("spiffe://acme/worker"),
    x509.IPAddress(ip_address("192.0.2.7")),
    x509.RFC822Name("worker@acme.example"),
)
ISSUED = issue(ROOT, SUBJECT, names=NAMES)
SKEW = 15.0


class Chain(ChainCheck):
    """Notes which certificates it is asked about."""

    def __init__(self, *roots: Issued) -> None:
        super().__init__([root.certificate for root in roots], SetClock(time.time()))
        self.asked: list[ClientCertificate] = []

    def require(self, certificate: ClientCertificate) -> None:
        self.asked.append(certificate)
        super().require(certificate)


def shown(issued: Issued = ISSUED) -> PresentedCertificate:
    return PresentedCertificate("worker", read_client_certificate(issued.der))


def by_name(**members: Any) -> ClientProjection:
    return client(authenticator="client-x509", **members)


async def verify(
    of: ClientProjection,
    issued: Issued = ISSUED,
    *,
    chain: ChainCheck | None = None,
    keys: Keys | None = None,
    now: float | None = None,
) -> tuple[str, str]:
    """Return the name that matched, and OAuth's name of the method."""
    clock = SetClock(time.time() if now is None else now)
    check = CertificateCheck(keys or Keys(), chain or Chain(ROOT), clock, clock_skew=SKEW)
    presented = shown(issued)
    attempt = Attempt(presented)
    assert check.fits(of, presented)
    return await check.verify(scene(of).realm, of, presented, attempt), attempt.method


EXPECTED = {
    "x509_subject_dn": SUBJECT,
    "x509_san_dns": "worker.example",
    "x509_san_uri": "spiffe://acme/worker",
    "x509_san_ip": "192.0.2.7",
    "x509_san_email": "worker@acme.example",
}


@pytest.mark.parametrize("member", EXPECTED)
async def test_a_client_is_known_by_the_one_name_that_it_has(member: str) -> None:
    name, method = await verify(by_name(**{member: EXPECTED[member]}))
    assert (name, method) == (f"key:{ISSUED.thumbprint}", "tls_client_auth")
    other = EXPECTED[member].replace("worker", "walker").replace("192.0.2.7", "192.0.2.8")
    with pytest.raises(CertificateMismatchError, match="another subject"):
        await verify(by_name(**{member: other}))


async def test_a_pattern_is_one_only_where_it_is_said_to_be() -> None:
    pattern = r"CN=w.*,O=Acme"
    await verify(by_name(x509_subject_dn=pattern, x509_subject_dn_is_pattern=True))
    with pytest.raises(CertificateMismatchError):
        await verify(by_name(x509_subject_dn=pattern))
    with pytest.raises(CertificateMismatchError):
        await verify(by_name(x509_san_dns="worker..xample", x509_subject_dn_is_pattern=True))


@pytest.mark.parametrize(
    "members", [{}, {"x509_subject_dn": SUBJECT, "x509_san_dns": "worker.example"}, {"x509_subject_dn": "="}]
)
async def test_without_exactly_one_name_that_can_be_read_nobody_is_known(members: dict[str, str]) -> None:
    with pytest.raises(CertificateMismatchError):
        await verify(by_name(**members))


async def test_an_issuer_is_asked_for_beside_the_name() -> None:
    named = by_name(x509_subject_dn=SUBJECT, x509_issuer_dn="CN=Root")
    await verify(named)
    with pytest.raises(CertificateMismatchError, match="another issuer"):
        await verify(replace(named, x509_issuer_dn="CN=Other"))
    with pytest.raises(CertificateMismatchError):
        await verify(replace(named, x509_issuer_dn="not a name"))
    both = Chain(ROOT, OTHER_ROOT)
    with pytest.raises(CertificateMismatchError, match="another issuer"):
        await verify(named, issue(OTHER_ROOT, SUBJECT), chain=both)
    with pytest.raises(CertificateMismatchError, match="another subject"):
        await verify(by_name(x509_subject_dn="CN=x", x509_issuer_dn="CN=x"))


async def test_a_name_counts_only_from_an_authority_that_is_trusted() -> None:
    named = by_name(x509_subject_dn=SUBJECT)
    chain = Chain(ROOT)
    for strange in (issue(OTHER_ROOT, SUBJECT), issue(None, SUBJECT)):
        with pytest.raises(UntrustedCertificateError):
            await verify(named, strange, chain=chain)
    issuers = [each.certificate.issuer.rfc4514_string() for each in chain.asked]
    assert issuers == ["CN=Other", SUBJECT]
    check = CertificateCheck(Keys(), None, SetClock(time.time()), clock_skew=SKEW)
    with pytest.raises(UntrustedCertificateError, match="no client certificate authority"):
        await check.verify(scene(named).realm, named, shown(), Attempt(shown()))


async def test_a_registered_key_is_known_whoever_issued_its_certificate() -> None:
    own = issue(None)
    registered = by_name(x509_self_signed=True, jwks={"keys": [own.public_jwk]})
    keys, chain = Keys(), Chain(ROOT)
    name, method = await verify(registered, own, keys=keys, chain=chain)
    assert (name, method) == (f"key:{own.thumbprint}", "self_signed_tls_client_auth")
    assert [each[:3] for each in keys.asked] == [("acme", keys.asked[0][1], "ES256")]
    assert str(getattr(keys.asked[0][1], "value", "")) == own.thumbprint
    assert chain.asked == [shown(own).certificate], "it takes the time of the other method"
    with pytest.raises(CertificateMismatchError, match="the certificate's key is not one of the client's"):
        await verify(registered, issue(None))


async def test_a_registered_key_needs_no_authority_at_all() -> None:
    own = issue(None)
    registered = by_name(x509_self_signed=True, jwks={"keys": [own.public_jwk]})
    check = CertificateCheck(Keys(), None, SetClock(time.time()), clock_skew=SKEW)
    await check.verify(scene(registered).realm, registered, shown(own), Attempt(shown(own)))


@pytest.mark.parametrize("self_signed", [False, True])
async def test_a_certificate_of_a_revoked_key_is_refused_by_either_method(self_signed: bool) -> None:
    own = issue(ROOT, SUBJECT)
    members = (
        {"x509_self_signed": True, "jwks": {"keys": [own.public_jwk]}}
        if self_signed
        else {"x509_subject_dn": SUBJECT}
    )
    good = by_name(**members)
    await verify(good, own)
    with pytest.raises(KeyRevokedError):
        await verify(replace(good, revoked_thumbprints=frozenset({own.thumbprint})), own)
    await verify(replace(good, revoked_thumbprints=frozenset({ISSUED.thumbprint})), own)


async def test_a_certificate_with_a_key_of_no_use_is_not_trusted() -> None:
    weak = issue(ROOT, SUBJECT, key=ec.generate_private_key(ec.SECP224R1()))
    with pytest.raises(UntrustedCertificateError):
        await verify(by_name(x509_subject_dn=SUBJECT), weak)


@pytest.mark.parametrize(
    ("after_begin", "after_end"), [(-SKEW, None), (-SKEW - 1, None), (None, SKEW), (None, SKEW + 1)]
)
async def test_a_certificate_is_good_in_its_time_and_for_the_skew(
    after_begin: float | None, after_end: float | None
) -> None:
    own = issue(None)
    registered = by_name(x509_self_signed=True, jwks={"keys": [own.public_jwk]})
    if after_begin is not None:
        now = own.certificate.not_valid_before_utc.timestamp() + after_begin
    else:
        now = own.certificate.not_valid_after_utc.timestamp() + (after_end or 0.0)
    if abs(after_begin or after_end or 0.0) == SKEW:
        await verify(registered, own, now=now)
    else:
        with pytest.raises(CertificateNotValidError):
            await verify(registered, own, now=now)


def test_burning_takes_the_time_of_a_check_and_says_nothing() -> None:
    chain = Chain(ROOT)
    check = CertificateCheck(Keys(), chain, SetClock(time.time()), clock_skew=SKEW)
    for issued in (ISSUED, issue(OTHER_ROOT)):
        check.equalize_time(shown(issued))
    assert [each.thumbprint for each in chain.asked][:1] == [shown().certificate.thumbprint]
    assert len(chain.asked) == 2
    CertificateCheck(Keys(), None, SetClock(), clock_skew=SKEW).equalize_time(shown())
