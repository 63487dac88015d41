"""Endpoints that Keycloak's tools read for every client and realm, regardless of what they change."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.role_representation import describe_user
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.realms import ANY_ROLE

_REALM: Final = "/admin/realms/{realm}"
_CLIENT: Final = f"{_REALM}/clients/{{uuid}}"


class ReadingToolsRoutes:
    """Handlers for a client's service account, and empty lists for unsupported features."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            gate.route(f"{_CLIENT}/service-account-user", {"GET": Endpoint(self.service_account, VIEW)}),
            gate.route(f"{_REALM}/client-policies/profiles", {"GET": Endpoint(self.profiles, ANY_ROLE)}),
            gate.route(f"{_REALM}/client-policies/policies", {"GET": Endpoint(self.policies, ANY_ROLE)}),
        ]

    async def service_account(self, call: Call) -> Response:
        """Return the service account of a client, which is the subject of its tokens."""
        _, client = await self._queries.client(call.realm, call.client_uuid)
        if not client.service_accounts_enabled:
            raise InvalidRequestError(f"Service account not enabled for the client '{client.client_id}'")
        return JSONResponse(describe_user(client))

    async def profiles(self, call: Call) -> Response:
        await self._queries.realm(call.realm)
        return _empty(call, "profiles", "globalProfiles", "include-global-profiles")

    async def policies(self, call: Call) -> Response:
        await self._queries.realm(call.realm)
        return _empty(call, "policies", "globalPolicies", "include-global-policies")


def _empty(call: Call, name: str, global_name: str, wanted: str) -> Response:
    shown: dict[str, list[Any]] = {name: []}
    return JSONResponse(shown | ({global_name: []} if call.is_true(wanted) else {}))
