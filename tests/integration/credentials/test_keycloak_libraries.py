"""python-keycloak and @keycloak/keycloak-admin-client run all their credentials calls unmodified.

docs/keycloak-compatibility.md lists these calls; its table must equal the one built here.
"""

import asyncio
import inspect
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from keycloak import KeycloakAdmin, KeycloakOpenIDConnection, urls_patterns
from starlette.routing import Route

from keyturn_credentials.keystores import certificate_body, generate_key_pair, self_signed_certificate
from keyturn_credentials.keystores.key_pairs import KeyPairKind
from tests.integration.credentials.keycloak_role_calls import call_for_roles
from tests.testkit.admin_api import AdminApi
from tests.testkit.documented_calls import documented, shape
from tests.testkit.nodejs import PROJECT, RunNode
from tests.testkit.served import served

RESOURCES = PROJECT / "node_modules" / "@keycloak" / "keycloak-admin-client" / "lib" / "resources"


CHANGING_USERS = {"create_user", "update_user", "delete_user"}
"""Users that stand for clients are shown, and created with their clients."""
OF_DEFAULT_ROLES = {"get_realm_default_roles", "add_realm_default_roles", "remove_realm_default_roles"}
"""Calls about the role that Keycloak gives every new user: a realm of keyturn's has none."""


def certificate() -> str:
    pair = generate_key_pair(KeyPairKind.P_256)
    body = certificate_body(self_signed_certificate(pair, "orders", now=datetime.now(UTC)))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


async def run_python_keycloak(base_url: str, token: str, *, asynchronous: bool) -> list[str]:
    """Make every call, in an order in which each has something to do; return the names of those that worked.
    The library has each call twice: by its name, and with the prefix ``a_`` for asyncio."""
    connection = KeycloakOpenIDConnection(
        server_url=f"{base_url}/",
        realm_name="master",
        token={"access_token": token, "expires_in": 300, "refresh_token": ""},
        timeout=10,
    )
    admin = KeycloakAdmin(connection=connection)
    worked: list[str] = []

    async def call(
        name: str, *arguments: Any, check: Callable[[Any], bool] = lambda result: True, **named: Any
    ) -> Any:
        if asynchronous:
            result = await getattr(admin, f"a_{name}")(*arguments, **named)
        else:
            result = await asyncio.to_thread(getattr(admin, name), *arguments, **named)
        assert check(result), (name, result)
        worked.append(name)
        return result

    await call("create_realm", {"realm": "acme", "enabled": True})
    await call("get_realms", check=lambda realms: {realm["realm"] for realm in realms} == {"acme", "master"})
    await call("get_realm", "acme", check=lambda realm: realm["realm"] == "acme")
    await call("update_realm", "acme", {"accessTokenLifespan": 120})
    admin.change_current_realm("acme")
    await call("get_keys", check=lambda keys: {key["status"] for key in keys["keys"]} == {"ACTIVE"})
    uuid = await call("create_client", {"clientId": "orders", "serviceAccountsEnabled": True})
    await call("create_client", {"clientId": "orders"}, skip_exists=True, check=lambda found: found == uuid)
    await call("get_clients", check=lambda clients: [client["clientId"] for client in clients] == ["orders"])
    await call("get_client_id", "orders", check=lambda found: found == uuid)
    await call("get_client", uuid, check=lambda client: client["clientId"] == "orders")
    first = await call("get_client_secrets", uuid, check=lambda secret: secret["type"] == "secret")
    await call("generate_client_secrets", uuid, check=lambda secret: secret["value"] != first["value"])
    await call("update_client", uuid, {"clientAuthenticatorType": "client-jwt"})
    await call("upload_certificate", uuid, certificate(), check=lambda answer: "certificate" in answer)
    await call(
        "get_client_certificate_key_info", uuid, "jwt.credential", check=lambda info: "certificate" in info
    )
    provider = "keycloak-oidc-keycloak-json"
    await call(
        "get_client_installation_provider", uuid, provider, check=lambda file: file["resource"] == "orders"
    )
    await call("get_server_info", check=lambda info: info["systemInfo"]["version"].startswith("26."))
    cluster = {"alias": "cluster", "providerId": "kubernetes", "config": {}}
    await call("create_idp", cluster)
    await call("get_idps", check=lambda providers: providers[0]["alias"] == "cluster")
    await call("get_idp", "cluster", check=lambda provider: provider["providerId"] == "kubernetes")
    await call("update_idp", "cluster", {**cluster, "enabled": False})
    await call("delete_idp", "cluster")
    await call_for_mappers(call, uuid)
    user = await call("get_client_service_account_user", uuid)
    assert user["username"] == "service-account-orders"
    await call_for_scopes(call, uuid)
    await call_for_roles(call, uuid)
    await call("clear_keys_cache")
    exported = await call(
        "export_realm", export_clients=True, check=lambda realm: realm["clients"][0]["id"] == uuid
    )
    await call("delete_client", uuid)
    await call(
        "partial_import_realm",
        "acme",
        {"ifResourceExists": "FAIL", "clients": exported["clients"]},
        check=lambda report: report["added"] == 1,
    )
    admin.change_current_realm("master")
    await call("delete_realm", "acme")
    await call("import_realm", exported)
    admin.change_current_realm("acme")
    assert await call("get_client_id", "orders") == uuid
    return list(dict.fromkeys(worked))


async def call_for_scopes(call: Callable[..., Awaitable[Any]], uuid: str) -> None:
    scope = await call("create_client_scope", {"name": "tenant"})
    await call(
        "create_client_scope", {"name": "tenant"}, skip_exists=True, check=lambda found: found == scope
    )
    await call("get_client_scopes", check=lambda scopes: "tenant" in names(scopes))
    await call("get_client_scope", scope, check=lambda shown: shown["name"] == "tenant")
    await call("update_client_scope", scope, {"description": "changed"})
    await call("add_mapper_to_client_scope", scope, MAPPER)
    [mapper] = await call("get_mappers_from_client_scope", scope)
    await call("update_mapper_in_client_scope", scope, mapper["id"], {**mapper, "name": "other"})
    await call("delete_mapper_from_client_scope", scope, mapper["id"])
    for member in ("default", "optional"):
        await call(f"add_default_{member}_client_scope", scope)
        await call(f"get_default_{member}_client_scopes", check=lambda scopes: "tenant" in names(scopes))
        await call(f"delete_default_{member}_client_scope", scope)
    for member in ("default", "optional"):
        await call(f"add_client_{member}_client_scope", uuid, scope, {})
        await call(f"get_client_{member}_client_scopes", uuid, check=lambda scopes: "tenant" in names(scopes))
        await call(f"delete_client_{member}_client_scope", uuid, scope)
    await call("delete_client_scope", scope)


MAPPER = {
    "name": "tier",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-hardcoded-claim-mapper",
    "config": {"claim.name": "tier", "claim.value": "gold", "access.token.claim": "true"},
}


async def call_for_mappers(call: Callable[..., Awaitable[Any]], uuid: str) -> None:
    await call("get_mappers_from_client", uuid, check=lambda mappers: mappers == [])
    await call("add_mapper_to_client", uuid, MAPPER)
    [mapper] = await call("get_mappers_from_client", uuid)
    await call("update_client_mapper", uuid, mapper["id"], {**mapper, "name": "other"})
    await call("remove_client_mapper", uuid, mapper["id"])


def names(scopes: list[dict[str, Any]]) -> set[str]:
    return {scope["name"] for scope in scopes}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["blocking", "asyncio"])
async def test_python_keycloak_works_unmodified(api: AdminApi, asynchronous: bool) -> None:
    token = await api.token()
    async with served(api.app) as base_url:
        worked = await run_python_keycloak(base_url, token, asynchronous=asynchronous)
    assert documented("python-keycloak") == worked


def test_no_call_of_python_keycloak_whose_address_is_served_is_left_out(api: AdminApi) -> None:
    addresses = {name: getattr(urls_patterns, name) for name in dir(urls_patterns) if name.startswith("URL_")}
    served_here = {shape(route.path) for route in api.app.routes if isinstance(route, Route)}
    calls = set()
    for name, function in inspect.getmembers(KeycloakAdmin, inspect.isfunction):
        used = set(re.findall(r"urls_patterns\.(\w+)", inspect.getsource(function)))
        if any(shape(f"/{addresses[address]}") in served_here for address in used):
            calls.add(name.removeprefix("a_"))
    assert calls - OF_DEFAULT_ROLES - CHANGING_USERS == set(documented("python-keycloak"))


async def test_keycloak_admin_client_works_unmodified(api: AdminApi, node: RunNode) -> None:
    token = await api.token()
    async with served(api.app) as base_url:
        ended = await asyncio.to_thread(
            node,
            "keycloak-admin-client.mjs",
            environment={"BASE_URL": base_url, "TOKEN": token, "CERTIFICATE": certificate()},
        )
    assert ended.returncode == 0, ended.stderr
    assert documented("@keycloak/keycloak-admin-client") == json.loads(ended.stdout)


def test_no_call_of_keycloak_admin_client_whose_address_is_served_is_left_out(
    api: AdminApi, node: RunNode
) -> None:
    served_here = {
        (method, shape(route.path))
        for route in api.app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    calls = set()
    for resource in ("realms", "clients", "clientScopes", "roles", "users", "cache", "identityProviders"):
        source = (RESOURCES / f"{resource}.js").read_text()
        base = re.findall(r'path: "(/admin/[^"]*)"', source)[-1]
        for name, options in re.findall(r"(\w+) = this\.make\w*Request\(\{(.*?)\}\)", source, re.DOTALL):
            method = re.findall(r'method: "(\w+)"', options)[0]
            path = "".join(re.findall(r'path: "([^"]*)"', options))
            of_mappers = resource == "clientScopes" and "ProtocolMapper" in name
            if (method, shape(base + path)) in served_here and not of_mappers:  # the same as those of clients
                calls.add(f"{resource}.{name}")
    assert calls == set(documented("@keycloak/keycloak-admin-client"))
