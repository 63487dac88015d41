"""``…/clients/{uuid}/usage``: last use of its credentials."""

from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.secrets import StoredSecret
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_shared.fleet.last_used import LastUsedRegistry, name_of_key, name_of_secret

_KEY: Final = name_of_key("")


class UsageRoutes:
    """Handlers of the last-used times that verifiers recorded."""

    def __init__(self, queries: Queries, last_used: LastUsedRegistry) -> None:
        self._queries = queries
        self._last_used = last_used

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/usage"
        return [gate.route(path, {"GET": Endpoint(self.get, VIEW)})]

    async def get(self, call: Call) -> Response:
        """Return NumericDate seconds, a minute old at most; null if no use is known. The records are lost
        with Redis, so null does not mean never. 503 while Redis does not answer."""
        _, client = await self._queries.client(call.realm, call.client_uuid)
        last_used = await self._last_used.read(client.uuid)
        return JSONResponse(
            {
                "secret": _used(client.secrets.current, last_used),
                "former_secret": _used(client.secrets.rotated, last_used),
                "keys": {
                    name.removeprefix(_KEY): at for name, at in last_used.items() if name.startswith(_KEY)
                },
            }
        )


def _used(stored: StoredSecret | None, last_used: dict[str, float]) -> float | None:
    return None if stored is None else last_used.get(name_of_secret(stored.digest))
