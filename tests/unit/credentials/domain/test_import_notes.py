"""The report of an import says of each client what it will not do here, and of a sound one nothing."""

from typing import Any

import pytest

from keyturn_credentials.domain import import_notes
from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import client_from

JWT = {"clientId": "orders", "clientAuthenticatorType": "client-jwt"}


def notes(realm: Realm = Realm("1", "acme"), /, **members: Any) -> list[str]:  # noqa: B008 - it is frozen
    client = client_from({**JWT, **members}, uuid="1", realm_id=realm.id)
    return list(import_notes.of_client(realm, client, keys_of(client)))


def at(url: str) -> dict[str, str]:
    return {"use.jwks.url": "true", "jwks.url": url}


def test_a_client_that_signs_needs_keys() -> None:
    assert notes() == ["client-jwt without keys: it cannot authenticate until it has some"]
    assert notes(attributes=at("https://orders.example/jwks")) == []
    assert notes(clientAuthenticatorType="client-secret") == []
    assert notes(bearerOnly=True) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/jwks",
        "http://localhost:8080/jwks",
        "https://10.1.2.3/jwks",
        "http://[::1]/",
        "http://a.localhost/",
    ],
)
def test_keys_in_a_private_network_are_told_of(url: str) -> None:
    (note,) = notes(attributes=at(url))
    assert "private network" in note


def test_a_network_that_the_realm_allows_is_none_to_tell_of() -> None:
    realm = Realm("1", "acme", attributes={"keyturn.jwks.allowed-networks": "10.0.0.0/8"})
    assert notes(realm, attributes=at("https://10.1.2.3/jwks")) == []


def test_a_not_before_is_told_of_with_its_time() -> None:
    told = notes(clientAuthenticatorType="client-secret", notBefore=1_800_000_000)
    assert told == ["notBefore: tokens issued before 2027-01-15T08:00:00Z are refused"]
