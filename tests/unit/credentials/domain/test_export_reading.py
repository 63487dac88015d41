"""A Keycloak export is read client by client: what is imported, with what notes, and what is refused."""

from typing import Any

import pytest

from keyturn_credentials.domain.export_reading import ExportedClient, read_export, read_realm
from keyturn_credentials.domain.service_account import ServiceAccount
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
        ({"clientAuthenticatorType": "attestation-based"}, "attestation-based"),
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


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        (None, "the secret is not in the export"),
        ("", "the secret is not in the export"),
        ("**********", "the secret is not in the export"),
        ("*", "the secret is not in the export"),
        ("${vault.orders}", "the secret is not in the export but a placeholder"),
        ("$(env:SECRET)", "the secret is not in the export but a placeholder"),
        (" ${SECRET:-x}\n", "the secret is not in the export but a placeholder"),
    ],
)
def test_a_secret_that_is_not_in_the_export_is_not_taken_for_one(secret: str | None, why: str) -> None:
    client = read(secret=secret)
    assert "secret" not in client.representation
    assert (client.no_secret, client.notes) == (why, ())


@pytest.mark.parametrize("secret", ["kept", "$6$rounds=5000$abc", "a${b}", "${b}c", "$()", "$(a)$(b)"])
def test_a_secret_that_only_resembles_a_placeholder_is_kept(secret: str) -> None:
    client = read(secret=secret)
    assert (client.representation["secret"], client.no_secret) == (secret, None)


def test_what_has_no_effect_here_is_left_out_and_noted() -> None:
    values = {"client_credentials.use_refresh_token": "true", "mine": "x"}
    client = read(authorizationServicesEnabled=True, publicClient=True, xyzzy=1, attributes=values)
    notes = " ".join(client.notes)
    assert "authorizationServicesEnabled is left out: " in notes
    assert "attribute client_credentials.use_refresh_token is left out: " in notes
    assert "xyzzy is not known" in notes
    assert "cannot authenticate" in notes
    assert client.representation.keys().isdisjoint({"authorizationServicesEnabled", "xyzzy"})
    assert client.representation["attributes"] == {"mine": "x"}
    assert read(authorizationServicesEnabled=False).notes == ()


def test_a_former_secret_comes_with_its_end() -> None:
    known = {"client.secret.rotated": "former", "client.secret.rotated.expiration.time": "1800000000"}
    rotated = read(attributes=known).rotated
    assert rotated is not None
    assert (rotated[0].reveal(), rotated[1]) == ("former", 1_800_000_000.0)
    for wrong in ({"client.secret.rotated": "***"}, {"client.secret.rotated.expiration.time": "soon"}):
        assert read(attributes=known | wrong).rotated is None


def test_the_times_of_secrets_are_known() -> None:
    client = read(
        secret="s",
        attributes={"client.secret.creation.time": "1700000000", "client.secret.rotated.creation.time": "x"},
    )
    assert (client.created_at, client.expires_at, client.rotated_created_at) == (1_700_000_000.0, None, None)


@pytest.mark.parametrize("chosen", ["React App Realm", "x" * 37, 7])
def test_an_id_of_an_early_keycloak_is_left_out(chosen: object) -> None:
    client = read(id=chosen)
    assert "id" not in client.representation
    assert client.notes[0].startswith("it has a new id: ")
    realm = read_realm({"realm": "acme", "id": chosen})
    assert "id" not in realm.settings
    assert realm.notes[0].startswith("it has a new id: ")


@pytest.mark.parametrize(
    ("text", "kept", "told"),
    [
        ("32140800", 86_400, "is 32140800 seconds: 86400, which is the most, applies"),
        ("-1", None, "-1 means as long as a session"),
        ("0", None, "0 seconds is none"),
        ("soon", None, "not a number is none"),
        ("300", "300", None),
        ("", "", None),
    ],
)
def test_a_lifespan_that_cannot_be_is_shortened_or_left_out(
    text: str, kept: object, told: str | None
) -> None:
    client = read(attributes={"access.token.lifespan": text})
    assert client.representation["attributes"].get("access.token.lifespan") == kept
    assert len(client.notes) == (told is not None)
    assert all(str(told) in note for note in client.notes)


def test_what_of_a_realm_cannot_be_is_left_out_with_a_note() -> None:
    realm = read_realm(
        {
            "realm": "acme",
            "enabled": "false",
            "accessTokenLifespan": -1,
            "defaultSignatureAlgorithm": "HS256",
            "sslRequired": "all",
            "xyzzy": 1,
            "ifResourceExists": "SKIP",
        }
    )
    assert (realm.name, realm.has_settings, realm.clients) == ("acme", True, ())
    assert realm.settings == {"realm": "acme", "enabled": False}
    told = " ".join(realm.notes)
    for name in ("accessTokenLifespan", "HS256", "sslRequired", "xyzzy is not known"):
        assert name in told
    assert "ifResourceExists" not in told
    assert not read_realm({"realm": "acme", "clients": [], "users": []}).has_settings


def test_keys_and_uris_that_contradict_or_run_scripts_are_left_out() -> None:
    both = {"use.jwks.url": "true", "jwks.url": "https://a.example/", "use.jwks.string": "true"}
    client = read(attributes=both, redirectUris=["https://a.example/*", "javascript:x"])
    assert client.representation["attributes"] == {"use.jwks.url": "true", "jwks.url": "https://a.example/"}
    assert client.representation["redirectUris"] == ["https://a.example/*"]
    assert len(client.notes) == 2


def test_a_client_whose_id_was_to_be_replaced_is_refused() -> None:
    (client,) = read_export({"clients": [{"clientId": "$(env:CLIENT)"}]})
    assert client.refused == "its clientId is a placeholder that was not replaced"


def test_clients_that_stand_for_realms_in_master_are_keycloaks_own() -> None:
    stands = {"clientId": "shop-realm", "bearerOnly": True, "name": "shop Realm"}
    for document in (
        {"clients": [stands]},
        {"realm": "master", "clients": [stands | {"name": None}]},
        {"clients": [stands | {"bearerOnly": "true"}]},
    ):
        (client,) = read_export(document)
        assert client.is_keycloaks_own
    for own in (stands | {"bearerOnly": False}, stands | {"name": "Shop"}):
        (client,) = read_export({"realm": "acme", "clients": [own]})
        assert not client.is_keycloaks_own


def test_text_that_says_false_makes_no_public_client() -> None:
    assert read(publicClient="false", bearerOnly="false").notes == ()
    assert "cannot authenticate" in read(publicClient="true").notes[0]


def test_the_roles_of_service_accounts_are_read() -> None:
    users = [{"serviceAccountClientId": "orders", "realmRoles": ["payments"]}]
    (client,) = read_export({"clients": [{"clientId": "orders"}], "users": users})
    assert client.service_account == ServiceAccount(None, ("payments",))
    assert client.notes == ()


def test_two_clients_of_one_name_are_told_with_their_places() -> None:
    with pytest.raises(InvalidRequestError, match=r"clientId a: clients\[0\] and clients\[2\]"):
        read_export({"clients": [{"clientId": "a"}, {"clientId": "b"}, {"clientId": "a"}]})


def test_revoked_keys_are_read() -> None:
    client = read(keyturnRevokedKeys={THUMBPRINT: 1})
    assert client.revoked_keys == {THUMBPRINT: 1.0}
    assert "keyturnRevokedKeys" not in client.representation


@pytest.mark.parametrize("wrong", [[], {"short": 1}, {THUMBPRINT: "1"}, {THUMBPRINT: None}])
def test_revoked_keys_are_read_strictly(wrong: object) -> None:
    with pytest.raises(InvalidRequestError, match="keyturnRevokedKeys"):
        read(keyturnRevokedKeys=wrong)


@pytest.mark.parametrize("alg", [["RS256"], {}, 7, True, "HS256"])
def test_an_algorithm_of_any_other_type_is_left_out_with_a_note(alg: object) -> None:
    read = read_realm({"realm": "acme", "defaultSignatureAlgorithm": alg})
    assert "defaultSignatureAlgorithm" not in read.settings
    assert read.notes == (f"defaultSignatureAlgorithm {alg} is left out: realms do not sign with it",)


def test_the_mark_of_an_unfinished_import_is_no_setting() -> None:
    """On a realm in use, the next import would continue it, and enable it in the end."""
    read = read_realm({"realm": "acme", "attributes": {"keyturn.import.unfinished": "true", "a": "b"}})
    assert read.settings["attributes"] == {"a": "b"}


@pytest.mark.parametrize(
    ("enabled", "gets_tokens"), [(False, False), ("false", False), (True, True), (None, True)]
)
def test_a_client_whose_service_account_is_disabled_gets_no_tokens(
    enabled: object, gets_tokens: bool
) -> None:
    """Keycloak refuses it: the user is disabled."""
    users = [{"serviceAccountClientId": "orders", "enabled": enabled}]
    (client,) = read_export(
        {"clients": [{"clientId": "orders", "serviceAccountsEnabled": True}], "users": users}
    )
    assert client.representation["serviceAccountsEnabled"] is gets_tokens
    note = "its service account is disabled: serviceAccountsEnabled is set to false"
    assert client.notes == (() if gets_tokens else (note,))


def test_roles_that_a_service_account_has_by_its_groups_are_missed_with_a_note() -> None:
    users = [{"serviceAccountClientId": "orders", "groups": ["/staff", "/staff/billing"]}]
    (client,) = read_export({"clients": [{"clientId": "orders"}], "users": users})
    assert client.notes == (
        "its service account is in groups: the roles of /staff, /staff/billing are left out",
    )
