"""``…/clients/{uuid}/client-secret``."""

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.representation import shown_secret
from keyturn_credentials.domain.secrets import check_overlap
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.operations.secrets import SecretOperations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import CONFIGURE, VIEW, may_see_secret, note_shown
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import whole_number
from keyturn_shared.clock import Clock


class SecretRoutes:
    """Handlers of the secrets in Keycloak's ClientResource."""

    def __init__(self, queries: Queries, clock: Clock, operations: SecretOperations) -> None:
        self._queries = queries
        self._clock = clock
        self._operations = operations

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/client-secret"
        return [
            gate.route(path, {"GET": Endpoint(self.get, VIEW), "POST": Endpoint(self.regenerate, CONFIGURE)}),
            gate.route(
                f"{path}/rotated",
                {
                    "GET": Endpoint(self.get_rotated, VIEW),
                    "DELETE": Endpoint(self.delete_rotated, CONFIGURE),
                },
            ),
        ]

    async def get(self, call: Call) -> Response:
        realm, client = await self._queries.client(call.realm, call.client_uuid)
        current = client.secrets.current if client.is_confidential else None
        if current is None:
            return _credential(None)
        may_see = may_see_secret(call, realm, client)
        note_shown(call, client, may_see)
        return _credential(shown_secret(current, show=may_see))

    async def regenerate(self, call: Call) -> Response:
        """Regenerate. ``?overlap=`` chooses for how many seconds the former secret stays valid this once."""
        asked = whole_number(call, "overlap")
        overlap = None if asked is None else check_overlap(asked)
        done = await self._operations.regenerate(call.client_target, overlap=overlap)
        call.changed(done)
        return _credential(done.value.reveal())

    async def get_rotated(self, call: Call) -> Response:
        realm, client = await self._queries.client(call.realm, call.client_uuid)
        rotated = client.secrets.rotated
        if rotated is None or not rotated.is_valid(self._clock.now()):
            raise NotFoundError("Client does not have a rotated secret")
        may_see = may_see_secret(call, realm, client) and not realm.keeps_digests_only
        note_shown(call, client, may_see, former=True)
        return _credential(shown_secret(rotated, show=may_see))

    async def delete_rotated(self, call: Call) -> Response:
        call.changed(await self._operations.revoke_rotated(call.client_target))
        return Response(status_code=204)


def _credential(value: str | None) -> Response:
    """Build Keycloak's CredentialRepresentation."""
    shown = {"type": "secret"} if value is None else {"type": "secret", "value": value}
    return JSONResponse(shown)
