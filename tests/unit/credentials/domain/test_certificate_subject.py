"""A client with a certificate names exactly one way to recognise it."""

from dataclasses import replace

import pytest

from keyturn_credentials.domain.client import Client, check_client
from keyturn_credentials.errors import InvalidRequestError

CLIENT = Client("u", "r", "worker", authenticator="client-x509")


@pytest.mark.parametrize(
    "attributes",
    [
        {"x509.subjectdn": "CN=worker, O=Acme"},
        {"x509.subjectdn": "(.*?)(?:$)", "x509.allow.regex.pattern.comparison": "true"},
        {"x509.subjectdn": "CN=worker", "x509.casubjectdn": "CN=Authority", "x509.san.dns": " "},
        {"x509.san.dns": "worker.acme.example"},
        {"x509.san.uri": "spiffe://acme/worker"},
        {"x509.san.ip": "2001:db8::7"},
        {"x509.san.email": "worker@acme.example"},
        {"x509.self.signed": "true"},
    ],
)
def test_one_way_to_recognise_it_is_accepted(attributes: dict[str, str]) -> None:
    client = replace(CLIENT, attributes=attributes)
    assert check_client(client) is client


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({}, "exactly one"),
        ({"x509.subjectdn": "CN=a", "x509.san.dns": "a"}, "exactly one"),
        ({"x509.self.signed": "true", "x509.san.dns": "a"}, "x509.san.dns"),
        ({"x509.subjectdn": "worker"}, "x509.subjectdn"),
        ({"x509.subjectdn": "(a)\\1", "x509.allow.regex.pattern.comparison": "true"}, "x509.subjectdn"),
        ({"x509.san.dns": "*.acme.example"}, "x509.san.dns"),
        ({"x509.san.ip": "300.1.1.1"}, "x509.san.ip"),
        ({"x509.subjectdn": "CN=a", "x509.casubjectdn": "nobody"}, "x509.casubjectdn"),
    ],
)
def test_anything_else_is_refused_by_the_name_of_the_attribute(
    attributes: dict[str, str], named: str
) -> None:
    with pytest.raises(InvalidRequestError, match=named):
        check_client(replace(CLIENT, attributes=attributes))


def test_other_clients_may_carry_such_attributes() -> None:
    check_client(Client("u", "r", "worker", attributes={"x509.subjectdn": "whatever"}))
