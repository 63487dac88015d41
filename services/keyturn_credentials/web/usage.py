"""``…/clients/{uuid}/usage``: when its credentials were last used."""

from typing import Final

from redis.asyncio import Redis
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.secrets import StoredSecret
from keyturn_credentials.operations.recording import require_client, require_realm
from keyturn_credentials.store.transaction import Store
from keyturn_credentials.web.clients import VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_shared.fleet.uses import CredentialUseRegistry, name_of_key, name_of_secret

_KEY: Final = name_of_key("")


class UsageRoutes:
    """Handlers of what verifiers noted of the use of credentials."""

    def __init__(self, store: Store, redis: Redis) -> None:
        self._store = store
        self._registry = CredentialUseRegistry(redis)

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/usage"
        return [gate.route(path, {"GET": Endpoint(self.get, VIEW)})]

    async def get(self, call: Call) -> Response:
        """NumericDate seconds, a minute old at most; null where no use is known. What was noted is lost with
        Redis, so null does not mean never. 503 while Redis does not answer."""
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
            client = require_client(await reading.clients.get(realm.id, call.client_uuid))
        uses = await self._registry.read(client.uuid)
        return JSONResponse(
            {
                "secret": _used(client.secrets.current, uses),
                "former_secret": _used(client.secrets.rotated, uses),
                "keys": {name.removeprefix(_KEY): at for name, at in uses.items() if name.startswith(_KEY)},
            }
        )


def _used(stored: StoredSecret | None, uses: dict[str, float]) -> float | None:
    return None if stored is None else uses.get(name_of_secret(stored.digest))
