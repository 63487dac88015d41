"""``…/clients/{uuid}/installation/providers/{id}``: the file that configures a client's adapter."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.authenticators import RULES
from keyturn_credentials.domain.representation import shown_secret
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import VIEW, may_see_secret, note_shown
from keyturn_credentials.web.gate import Call, Endpoint, Gate

KEYCLOAK_JSON: Final = "keycloak-oidc-keycloak-json"
_KINDS: Final = {"public-client": "publicClient", "bearer-only": "bearerOnly"}


class InstallationRoutes:
    """Keycloak's one provider for adapters of confidential clients."""

    def __init__(self, queries: Queries, base_url: str) -> None:
        self._queries = queries
        self._base_url = base_url

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/installation/providers/{provider}"
        return [gate.route(path, {"GET": Endpoint(self.get, VIEW)})]

    async def get(self, call: Call) -> Response:
        if call.path("provider") != KEYCLOAK_JSON:
            raise NotFoundError("Unknown Provider")
        realm, client = await self._queries.client(call.realm, call.client_uuid)
        config: dict[str, Any] = {
            "realm": realm.name,
            "auth-server-url": f"{self._base_url}/",
            "ssl-required": "external",
            "resource": client.client_id,
        }
        if client.is_confidential:
            current, show = client.secrets.current, may_see_secret(call, realm, client)
            note_shown(call, client, show and current is not None)
            secret = None if current is None else shown_secret(current, show=show)
            config["credentials"] = RULES[client.authenticator].adapter(secret, client.signing_alg)
        # As in Keycloak, the members are there if they are true.
        for adapter_member, member in _KINDS.items():
            if client.document.get(member) is True:
                config[adapter_member] = True
        return JSONResponse(config | {"confidential-port": 0}, headers={"Cache-Control": "no-store"})
