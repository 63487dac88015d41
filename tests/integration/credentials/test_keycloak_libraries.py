"""python-keycloak and @keycloak/keycloak-admin-client run through their credentials calls as they are.

What they ran stands in docs/keycloak-compatibility.md; the table there has to be the one that is made here.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keycloak import KeycloakAdmin, KeycloakOpenIDConnection

from keyturn_credentials.keystores import certificate_body, generate_key_pair, self_signed_certificate
from keyturn_credentials.keystores.key_pairs import KeyPairKind
from tests.support.admin_api import AdminApi
from tests.support.node import RunNode
from tests.support.served import served

DOCUMENT = Path(__file__).parents[3] / "docs" / "keycloak-compatibility.md"


def certificate() -> str:
    pair = generate_key_pair(KeyPairKind.P_256)
    body = certificate_body(self_signed_certificate(pair, "orders", now=datetime.now(UTC)))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def run_python_keycloak(base_url: str, token: str) -> list[str]:
    """Every call, in an order in which each has something to do; the names of those that worked."""
    connection = KeycloakOpenIDConnection(
        server_url=f"{base_url}/",
        realm_name="master",
        token={"access_token": token, "expires_in": 300, "refresh_token": ""},
        timeout=10,
    )
    admin = KeycloakAdmin(connection=connection)
    worked: list[str] = []

    def call(
        name: str, *arguments: Any, check: Callable[[Any], bool] = lambda result: True, **named: Any
    ) -> Any:
        result = getattr(admin, name)(*arguments, **named)
        assert check(result), (name, result)
        worked.append(name)
        return result

    call("create_realm", {"realm": "acme", "enabled": True})
    call("get_realms", check=lambda realms: {realm["realm"] for realm in realms} == {"acme", "master"})
    call("get_realm", "acme", check=lambda realm: realm["realm"] == "acme")
    call("update_realm", "acme", {"accessTokenLifespan": 120})
    admin.change_current_realm("acme")
    call("get_keys", check=lambda keys: len(keys["keys"]) == 2)
    uuid = call("create_client", {"clientId": "orders", "serviceAccountsEnabled": True})
    call("create_client", {"clientId": "orders"}, skip_exists=True, check=lambda found: found == uuid)
    call("get_clients", check=lambda clients: [client["clientId"] for client in clients] == ["orders"])
    call("get_client_id", "orders", check=lambda found: found == uuid)
    call("get_client", uuid, check=lambda client: client["clientId"] == "orders")
    first = call("get_client_secrets", uuid, check=lambda secret: secret["type"] == "secret")
    call("generate_client_secrets", uuid, check=lambda secret: secret["value"] != first["value"])
    call("update_client", uuid, {"clientAuthenticatorType": "client-jwt"})
    call("upload_certificate", uuid, certificate(), check=lambda answer: "certificate" in answer)
    call("get_client_certificate_key_info", uuid, "jwt.credential", check=lambda info: "certificate" in info)
    provider = "keycloak-oidc-keycloak-json"
    call("get_client_installation_provider", uuid, provider, check=lambda file: file["resource"] == "orders")
    call("clear_keys_cache")
    call("delete_client", uuid)
    admin.change_current_realm("master")
    call("delete_realm", "acme")
    return list(dict.fromkeys(worked))


async def test_python_keycloak_works_unmodified(api: AdminApi) -> None:
    token = await api.token()
    async with served(api.app) as base_url:
        worked = await asyncio.to_thread(run_python_keycloak, base_url, token)
    assert documented("python-keycloak") == worked


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


def documented(library: str) -> list[str]:
    """The calls of a library's table."""
    section = DOCUMENT.read_text().partition(f"## {library}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [row.split("`")[1] for row in rows]
