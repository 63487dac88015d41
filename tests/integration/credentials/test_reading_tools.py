"""Keycloak's tools read a few addresses before they do anything; each answers what is there."""

import base64

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyturn_credentials.domain.mapper_types import IN_FORCE
from keyturn_shared.jose.jwk import VerificationKey
from tests.testkit.admin_api import AdminApi


async def test_a_server_says_which_keycloak_it_follows_and_that_it_is_keyturn(api: AdminApi) -> None:
    shown = (await api.call("GET", "/admin/serverinfo")).json()
    assert shown["systemInfo"]["version"].split(".")[0] == "26"
    assert shown["profileInfo"]["name"].startswith("keyturn ")
    types = {each["id"] for each in shown["protocolMapperTypes"]["openid-connect"]}
    assert types == set(IN_FORCE)


async def test_the_service_account_of_a_client_is_the_subject_of_its_tokens(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    uuid = await api.create("/acme/clients", {"clientId": "Orders"})
    user = (await api.call("GET", f"/acme/clients/{uuid}/service-account-user")).json()
    assert user["username"] == "service-account-orders"
    assert user["id"] not in (uuid, "")
    assert (await api.call("GET", f"/acme/clients/{uuid}/service-account-user")).json() == user
    off = {"serviceAccountsEnabled": False}
    assert (await api.call("PUT", f"/acme/clients/{uuid}", json=off)).status_code == 204
    refused = await api.call("GET", f"/acme/clients/{uuid}/service-account-user")
    assert (refused.status_code, refused.json()["errorMessage"]) == (
        400,
        "Service account not enabled for the client 'Orders'",
    )


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("client-policies/profiles", {"profiles": []}),
        (
            "client-policies/profiles?include-global-profiles=true",
            {"profiles": [], "globalProfiles": []},
        ),
        ("client-policies/policies", {"policies": []}),
        ("client-policies/policies?include-global-policies=true", {"policies": [], "globalPolicies": []}),
    ],
)
async def test_what_a_realm_has_none_of_is_an_empty_list(api: AdminApi, path: str, shown: object) -> None:
    await api.create("", {"realm": "acme"})
    assert (await api.call("GET", f"/acme/{path}")).json() == shown
    assert (await api.call("GET", f"/nowhere/{path}")).status_code == 404


async def test_the_realm_in_brief_has_the_key_of_administrators(api: AdminApi) -> None:
    shown = (await api.http.get("/realms/master")).json()
    assert (shown["realm"], shown["tokens-not-before"]) == ("master", 0)
    assert shown["token-service"] == "http://keyturn.test/realms/master/protocol/openid-connect"
    keys = (await api.call("GET", "/master/keys")).json()
    [active] = [key for key in keys["keys"] if key["kid"] in keys["active"].values()]
    public_key = VerificationKey.from_jwk(active["publicJwk"]).public_key
    assert load_der_public_key(base64.b64decode(shown["public_key"])) == public_key
    assert (await api.http.get("/realms/nowhere")).status_code == 404
