"""Administrators get tokens at the base URL and at every node, without noticing which service answers."""

from typing import Any

import httpx
import pytest
from keycloak import KeycloakAdmin, KeycloakOpenID, KeycloakOpenIDConnection

from tests.testkit.local_stack import Admin, RunningStack


def addresses(stack: RunningStack) -> list[str]:
    return [stack.base_url, *stack.node_urls]


@pytest.fixture(scope="module")
def tenant(stack: RunningStack) -> str:
    """The secret of ``tenant-admin``, the administrator of realm ``tenancy``."""
    admin = Admin(stack, "tenancy")
    admin.make_realm()
    attributes = {"keyturn.admin.roles": "manage-clients"}
    return admin.secret(admin.make_client("tenant-admin", attributes=attributes))


def test_python_keycloak_gets_introspects_and_uses_tokens_at_every_address(stack: RunningStack) -> None:
    admin = stack.local["admin"]
    for address in addresses(stack):
        openid = KeycloakOpenID(
            server_url=f"{address}/",
            realm_name="master",
            client_id=admin["client_id"],
            client_secret_key=admin["client_secret"],
        )
        token = openid.token(grant_type="client_credentials")["access_token"]
        assert openid.introspect(token)["active"]
        assert openid.well_known()["issuer"] == f"{stack.base_url}/realms/master"
        listed = httpx.get(
            f"{stack.base_url}/admin/realms", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        )
        assert listed.status_code == 200


def test_a_tenants_administrator_is_one_at_every_address(stack: RunningStack, tenant: str) -> None:
    for address in addresses(stack):
        granted = httpx.post(
            f"{address}/realms/tenancy/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=("tenant-admin", tenant),
            trust_env=False,
        )
        assert granted.status_code == 200, granted.text
        bearer = {"Authorization": f"Bearer {granted.json()['access_token']}"}
        url = f"{stack.base_url}/admin/realms/tenancy/clients"
        assert httpx.get(url, headers=bearer, trust_env=False).status_code == 200
        url = f"{stack.base_url}/admin/realms/master/clients"
        assert httpx.get(url, headers=bearer, trust_env=False).status_code == 403


def test_python_keycloak_administers_a_realm_as_its_tenant(stack: RunningStack, tenant: str) -> None:
    connection: Any = KeycloakOpenIDConnection(
        server_url=f"{stack.base_url}/",
        realm_name="tenancy",
        client_id="tenant-admin",
        client_secret_key=tenant,
    )
    keycloak = KeycloakAdmin(connection=connection)
    uuid = keycloak.create_client({"clientId": "of-the-tenant", "serviceAccountsEnabled": True})
    assert keycloak.get_client(uuid)["clientId"] == "of-the-tenant"
