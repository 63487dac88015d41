"""A Keycloak export is read client by client: what is taken over, with what notes, and what is refused."""

from typing import Any

import pytest

from keyturn_credentials.domain.export_reading import ExportedClient, read_export
from keyturn_credentials.errors import InvalidRequestError

THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def read(**members: Any) -> ExportedClient:
    (client,) = read_export({"clients": [{"clientId": "orders", **members}]})
    return client


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"clients": {}},
        {"clients": ["orders"]},
        {"clients": [{}]},
        {"clients": [{"clientId": 7}]},
        {"clients": [{"clientId": "a"}, {"clientId": "a"}]},
    ],
)
def test_what_is_no_export_is_refused_as_a_whole(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        read_export(document)


@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"protocol": "saml"}, "saml"),
        ({"clientAuthenticatorType": "federated-jwt"}, "federated-jwt"),
    ],
)
def test_what_is_not_served_here_is_refused_by_its_name(members: dict[str, Any], part: str) -> None:
    refused = read(**members).refused
    assert refused is not None
    assert part in refused


def test_clients_that_keycloak_makes_for_itself_are_known() -> None:
    own, other = read_export({"clients": [{"clientId": "account"}, {"clientId": "orders"}]})
    assert (own.is_keycloaks_own, own.refused is not None) == (True, True)
    assert (other.is_keycloaks_own, other.refused) == (False, None)


@pytest.mark.parametrize("secret", ["**********", "*", "${vault.orders}"])
def test_a_secret_that_is_not_in_the_export_is_not_taken_for_one(secret: str) -> None:
    client = read(secret=secret)
    assert "secret" not in client.representation
    assert client.notes == ("the secret is not in the export: a new one was generated",)
    assert read(secret="kept").representation["secret"] == "kept"


def test_what_has_no_effect_here_is_noted() -> None:
    notes = " ".join(read(protocolMappers=[{}], publicClient=True).notes)
    assert "protocolMappers is kept, but has no effect" in notes
    assert "cannot authenticate" in notes
    assert read(protocolMappers=[]).notes == ()


def test_a_former_secret_comes_with_its_end() -> None:
    known = {"client.secret.rotated": "former", "client.secret.rotated.expiration.time": "1800000000"}
    rotated = read(attributes=known).rotated
    assert rotated is not None
    assert (rotated[0].reveal(), rotated[1]) == ("former", 1_800_000_000.0)
    for wrong in ({"client.secret.rotated": "***"}, {"client.secret.rotated.expiration.time": "soon"}):
        assert read(attributes=known | wrong).rotated is None


def test_revoked_keys_are_read_strictly() -> None:
    client = read(keyturnRevokedKeys={THUMBPRINT: 1})
    assert client.revoked_keys == {THUMBPRINT: 1.0}
    assert "keyturnRevokedKeys" not in client.representation
    for wrong in ([], {"short": 1}, {THUMBPRINT: "1"}, {THUMBPRINT: None}):
        with pytest.raises(InvalidRequestError, match="keyturnRevokedKeys"):
            read(keyturnRevokedKeys=wrong)
