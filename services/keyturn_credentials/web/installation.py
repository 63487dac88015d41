"""``…/clients/{uuid}/installation/providers/{id}``: the file that configures a client's adapter."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.representation import shown_secret
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.operations.recording import require_client, require_realm
from keyturn_credentials.store.transaction import Store
from keyturn_credentials.web.clients import VIEW, may_see_secret
from keyturn_credentials.web.gate import Call, Endpoint, Gate

KEYCLOAK_JSON: Final = "keycloak-oidc-keycloak-json"


class InstallationRoutes:
    """The one provider of Keycloak's that adapters for confidential clients read."""

    def __init__(self, store: Store, base_url: str) -> None:
        self._store = store
        self._base_url = base_url

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/installation/providers/{provider}"
        return [gate.route(path, {"GET": Endpoint(self.get, VIEW)})]

    async def get(self, call: Call) -> Response:
        if call.path("provider") != KEYCLOAK_JSON:
            raise NotFoundError("Unknown Provider")
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
            client = require_client(await reading.clients.get(realm.id, call.client_uuid))
        config: dict[str, Any] = {
            "realm": realm.name,
            "auth-server-url": f"{self._base_url}/",
            "ssl-required": "external",
            "resource": client.client_id,
        }
        if client.is_confidential:
            config["credentials"] = _credentials(client, show=may_see_secret(call, realm, client))
        return JSONResponse(config | {"confidential-port": 0}, headers={"Cache-Control": "no-store"})


def _credentials(client: Client, *, show: bool) -> dict[str, Any]:
    """By authenticator; where its key is kept is for the client to know."""
    if client.authenticator == "client-jwt":
        return {"jwt": {}}
    if client.authenticator == "client-x509" or client.secrets.current is None:
        return {}
    secret = shown_secret(client.secrets.current, show=show)
    if client.authenticator == "client-secret-jwt":
        return {"secret-jwt": {"secret": secret, "algorithm": client.signing_alg or "HS256"}}
    return {"secret": secret}
