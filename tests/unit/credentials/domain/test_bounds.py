"""A representation has limits; the error names the member, the limit and the actual size."""

from typing import Any

import pytest

from keyturn_credentials.domain.bounds import (
    MAX_ATTRIBUTE_BYTES,
    MAX_ATTRIBUTES,
    MAX_ATTRIBUTES_BYTES,
    MAX_DOCUMENT_BYTES,
    MAX_ENTRIES,
    MAX_ENTRY_BYTES,
    MAX_TEXT_BYTES,
)
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.grants import MAX_GRANT_BYTES
from keyturn_credentials.domain.realm import MAX_NETWORKS, Realm, check_realm
from keyturn_credentials.domain.representation import change_client, change_realm
from keyturn_credentials.errors import InvalidRequestError

CLIENT = Client("1", "acme", "orders")
REALM = Realm("1", "acme")
MANY = [str(number) for number in range(MAX_ENTRIES + 1)]

TOO_MUCH: list[tuple[str, dict[str, Any], int, int]] = [
    ("redirectUris", {"redirectUris": MANY}, MAX_ENTRIES, len(MANY)),
    ("webOrigins", {"webOrigins": MANY}, MAX_ENTRIES, len(MANY)),
    ("defaultClientScopes", {"defaultClientScopes": MANY}, MAX_ENTRIES, len(MANY)),
    ("optionalClientScopes", {"optionalClientScopes": MANY}, MAX_ENTRIES, len(MANY)),
    (
        "redirectUris",
        {"redirectUris": ["https://a/" + "ä" * MAX_ENTRY_BYTES]},
        MAX_ENTRY_BYTES,
        10 + 2 * MAX_ENTRY_BYTES,
    ),
    ("description", {"description": "x" * (MAX_TEXT_BYTES + 1)}, MAX_TEXT_BYTES, MAX_TEXT_BYTES + 1),
    (
        "attribute team",
        {"attributes": {"team": "x" * (MAX_ATTRIBUTE_BYTES + 1)}},
        MAX_ATTRIBUTE_BYTES,
        MAX_ATTRIBUTE_BYTES + 1,
    ),
    (
        "attributes",
        {"attributes": {f"a{number}": "x" for number in range(MAX_ATTRIBUTES + 1)}},
        MAX_ATTRIBUTES,
        MAX_ATTRIBUTES + 1,
    ),
    (
        "attributes",
        {"attributes": {f"a{number:02}": "x" * MAX_ATTRIBUTE_BYTES for number in range(16)}},
        MAX_ATTRIBUTES_BYTES,
        16 * (3 + MAX_ATTRIBUTE_BYTES),
    ),
    (
        "representation",
        {"registeredNodes": ["x" * MAX_DOCUMENT_BYTES]},
        MAX_DOCUMENT_BYTES,
        MAX_DOCUMENT_BYTES + len('{"registeredNodes":[""]}'),
    ),
    (
        "defaultClientScopes",
        {"defaultClientScopes": ["x" * 2000] * 4},
        MAX_GRANT_BYTES,
        4 * 2000 + 3 + len('["",[]]'),
    ),
    (
        "keyturn.audiences",
        {"attributes": {"keyturn.audiences": ",".join(["x" * 2000] * 4)}},
        MAX_GRANT_BYTES,
        4 * 2000 + len('["",["","","",""]]'),
    ),
]


@pytest.mark.parametrize(
    ("name", "members", "most", "sent"), TOO_MUCH, ids=[f"{name} {most}" for name, _, most, _ in TOO_MUCH]
)
def test_what_is_too_much_for_a_client_is_refused_by_name_bound_and_what_was_sent(
    name: str, members: dict[str, Any], most: int, sent: int
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        change_client(CLIENT, members)
    for part in (name, str(most), str(sent)):
        assert part in refused.value.detail


@pytest.mark.parametrize(
    "members",
    [
        {"redirectUris": MANY[1:], "webOrigins": ["x" * MAX_ENTRY_BYTES]},
        {"description": "x" * MAX_TEXT_BYTES},
        {"attributes": {"team": "x" * MAX_ATTRIBUTE_BYTES}},
        {"attributes": {f"a{number}": "x" for number in range(MAX_ATTRIBUTES)}},
        {"registeredNodes": ["x" * (MAX_DOCUMENT_BYTES - 100)]},
        {"defaultClientScopes": ["x" * 2000] * 3},
    ],
    ids=lambda members: ",".join(members),
)
def test_what_is_just_enough_is_taken(members: dict[str, Any]) -> None:
    change_client(CLIENT, members)


def test_what_is_sent_in_parts_adds_up() -> None:
    """An absent member keeps its value, so a client could otherwise grow without end."""
    client = CLIENT
    with pytest.raises(InvalidRequestError, match=str(MAX_DOCUMENT_BYTES)):
        for part in ("type", "origin", "defaultRoles", "registeredNodes", "nodeReRegistrationTimeout"):
            client = change_client(client, {part: "x" * (MAX_DOCUMENT_BYTES // 4)})
    assert len(client.document) == 3


def test_what_an_earlier_build_took_can_be_sent_back_with_another_change() -> None:
    """Keycloak's libraries read a client, change a member, and send all of it."""
    scopes = ["x" * 2000] * 4
    attributes = {f"a{number:02}": "x" * MAX_ATTRIBUTE_BYTES for number in range(16)}
    old = Client("1", "acme", " orders", attributes=attributes, document={"defaultClientScopes": scopes})
    sent = {"clientId": " orders", "defaultClientScopes": scopes, "attributes": attributes, "enabled": False}
    assert not change_client(old, sent).enabled


def test_a_realm_is_bounded_as_well() -> None:
    for members in (
        {"displayName": "x" * (MAX_TEXT_BYTES + 1)},
        {"attributes": {"team": "x" * (MAX_ATTRIBUTE_BYTES + 1)}},
        {"groups": ["x" * MAX_DOCUMENT_BYTES]},
    ):
        with pytest.raises(InvalidRequestError, match="at most"):
            change_realm(REALM, members)
    networks = ",".join(f"10.0.{number}.0/24" for number in range(MAX_NETWORKS + 1))
    with pytest.raises(InvalidRequestError, match=f"{MAX_NETWORKS + 1} networks; at most {MAX_NETWORKS}"):
        check_realm(change_realm(REALM, {"attributes": {"keyturn.jwks.allowed-networks": networks}}))
