"""A certificate is a client's by exactly the expected name."""

from ipaddress import ip_address

import pytest
from cryptography import x509

from keyturn_shared.certificates.errors import InvalidNameError
from keyturn_shared.certificates.subjects import NameKind, SubjectName
from tests.testkit.certificates import issue

NAMED = issue(
    None,
    "CN=worker-7,OU=Ops,O=Acme",
    names=[
        x509.DNSName("worker.acme.example"),
        x509.DNSName("*.acme.example"),
        x509.UniformResourceIdentifier("spiffe://acme/worker"),
        x509.IPAddress(ip_address("192.0.2.7")),
        x509.IPAddress(ip_address("2001:db8::7")),
        x509.RFC822Name("Worker@acme.example"),
    ],
).certificate
BARE = issue(None, "CN=worker-7,OU=Ops,O=Acme").certificate


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("subject_dn", "CN=worker-7,OU=Ops,O=Acme"),
        ("subject_dn", "cn=Worker-7, ou=ops, o=acme"),
        ("subject_pattern", r"CN=worker-\d+,.*O=Acme"),
        ("subject_pattern", r"CN=worker-\d+, OU=Ops, O=Acme"),
        ("san_dns", "Worker.ACME.example"),
        ("san_uri", "spiffe://acme/worker"),
        ("san_ip", "192.0.2.7"),
        ("san_ip", "2001:0db8:0::0007"),
        ("san_email", "Worker@ACME.example"),
    ],
)
def test_a_name_is_recognised(kind: NameKind, text: str) -> None:
    assert SubjectName.read(kind, text).is_of(NAMED)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("subject_dn", "CN=worker-7"),
        ("subject_dn", "O=Acme,OU=Ops,CN=worker-7"),
        ("subject_pattern", "worker-7"),
        ("subject_pattern", "CN=worker"),
        ("san_dns", "other.acme.example"),
        ("san_dns", "spiffe"),
        ("san_uri", "spiffe://acme/worker/"),
        ("san_uri", "SPIFFE://acme/worker"),
        ("san_ip", "192.0.2.8"),
        ("san_email", "worker@acme.example"),
    ],
)
def test_another_name_is_not(kind: NameKind, text: str) -> None:
    assert not SubjectName.read(kind, text).is_of(NAMED)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("san_dns", "worker-7"), ("san_uri", "spiffe://acme/worker"), ("san_ip", "192.0.2.7")],
)
def test_a_certificate_without_alternative_names_has_none(kind: NameKind, text: str) -> None:
    assert not SubjectName.read(kind, text).is_of(BARE)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(("san_dns", text) for text in ("", "*.acme.example", "a b", "-a", "a..b", "é.example", "a" * 300)),
        *(("san_uri", text) for text in ("", "acme/worker", "spiffe://a b", "http://[", "spiffe://é")),
        *(("san_ip", text) for text in ("", "192.0.2", "192.0.2.0/24", "worker")),
        *(("san_email", text) for text in ("", "worker", "@acme.example", "a b@c", "a@*.b")),
        *(("subject_dn", text) for text in ("", "worker")),
        *(("subject_pattern", text) for text in ("", "(", "(?=a)")),
    ],
)
def test_what_is_no_such_name_is_refused(kind: NameKind, text: str) -> None:
    with pytest.raises(InvalidNameError):
        SubjectName.read(kind, text)
