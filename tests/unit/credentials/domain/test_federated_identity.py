"""A client's identity at a trusted issuer, as its attributes state it."""

import json
from typing import Any

import pytest

from keyturn_credentials.domain.claim_conditions import MAX_AUDIENCES, MAX_CONDITIONS
from keyturn_credentials.domain.client import Client, check_client
from keyturn_credentials.domain.federated_identity import read_identity
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.projection import MAX_SUBJECT_LENGTH, FederatedIdentity, subject_field

NAMED = {"jwt.credential.issuer": "cluster", "jwt.credential.sub": "system:serviceaccount:shop:orders"}
PATTERN = {"jwt.credential.issuer": "cluster", "keyturn.federated.subject-pattern": "repo:octo-org/*"}


def client(**attributes: str) -> Client:
    return Client("u", "r", "orders", authenticator="federated-jwt", attributes=attributes)


def test_an_identity_is_read_from_its_attributes() -> None:
    assert read_identity(NAMED) == FederatedIdentity(
        alias="cluster", subject="system:serviceaccount:shop:orders"
    )
    whole = PATTERN | {
        "keyturn.federated.audiences": "a, b,",
        "keyturn.federated.claims": '{"ref": "main", "n": 1, "x": true}',
    }
    assert read_identity(whole) == FederatedIdentity(
        alias="cluster",
        subject="repo:octo-org/*",
        is_pattern=True,
        audiences=("a", "b"),
        conditions={"ref": "main", "n": 1, "x": True},
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"jwt.credential.issuer": ""}, "jwt.credential.issuer"),
        ({"jwt.credential.issuer": "x" * 256}, "jwt.credential.issuer"),
        ({"jwt.credential.sub": ""}, "either"),
        ({"keyturn.federated.subject-pattern": "repo:octo-org/*"}, "either"),
        ({"jwt.credential.sub": "x" * (MAX_SUBJECT_LENGTH + 1)}, "at most 2048"),
        ({"jwt.credential.sub": "a\nb"}, "control"),
        ({"jwt.credential.sub": "", "keyturn.federated.subject-pattern": "*"}, "first 2 segments"),
        ({"keyturn.federated.claims": "no JSON"}, "JSON object"),
        ({"keyturn.federated.claims": "[]"}, "JSON object"),
        ({"keyturn.federated.claims": '{"a": 1, "a": 2}'}, "JSON object"),
        ({"keyturn.federated.claims": '{"a": [1]}'}, "a string, a number or a boolean"),
        ({"keyturn.federated.claims": '{"a": null}'}, "a string, a number or a boolean"),
        ({"keyturn.federated.claims": '{"": 1}'}, "names and values"),
        ({"keyturn.admin.roles": "view-clients"}, "administrators"),
    ],
)
def test_a_client_has_exactly_one_subject_or_pattern(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=reason):
        check_client(client(**NAMED | changes))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keyturn.federated.claims", json.dumps({str(n): n for n in range(MAX_CONDITIONS + 1)})),
        ("keyturn.federated.claims", json.dumps({"a": "x" * 1025})),
        ("keyturn.federated.claims", json.dumps({"x" * 1025: "a"})),
        ("keyturn.federated.audiences", ",".join(map(str, range(MAX_AUDIENCES + 1)))),
        ("keyturn.federated.audiences", "x" * 1025),
    ],
)
def test_conditions_and_audiences_are_bounded(name: str, value: str) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        check_client(client(**NAMED | {name: value}))
    check_client(client(**NAMED | {name: value[:0]}))


def test_an_exact_subject_leads_to_the_client_and_a_pattern_does_not() -> None:
    field = subject_field("r", "cluster", NAMED["jwt.credential.sub"])
    assert client(**NAMED).subject_field == field
    assert client(**PATTERN).subject_field is None
    others: list[dict[str, Any]] = [
        {"authenticator": "client-secret"},
        {"document": {"publicClient": True}},
    ]
    for other in others:
        members = {"authenticator": "federated-jwt", "attributes": NAMED, **other}
        assert Client("u", "r", "orders", **members).subject_field is None


def test_subjects_of_different_issuers_and_realms_have_different_fields() -> None:
    fields = {
        subject_field(*parts)
        for parts in (("r", "a", "b"), ("r", "a\0b", ""), ("r", "b", "a"), ("s", "a", "b"), ("r", "a", "B"))
    }
    assert len(fields) >= 4
