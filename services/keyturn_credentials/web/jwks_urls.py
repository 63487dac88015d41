"""``/admin/realms/{realm}/jwks-urls``: from where the keys of the realm's clients come, and how that goes."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.operations.recording import require_realm
from keyturn_credentials.store.finding import Criteria
from keyturn_credentials.store.search import find_after
from keyturn_credentials.store.transaction import Store
from keyturn_credentials.web.clients import VIEW
from keyturn_credentials.web.fetched_keys import FleetKeySets
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.numbers import whole_number
from keyturn_shared.key_sets.inspection import KeySetHealth

MAX_PAGE: Final = 500
_DEFAULT_PAGE: Final = 100


class JwksUrlHealthRoutes:
    """Handlers of what the fleet knows of clients' JWKS URLs."""

    def __init__(self, store: Store, fetched: FleetKeySets) -> None:
        self._store = store
        self._fetched = fetched

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [gate.route("/admin/realms/{realm}/jwks-urls", {"GET": Endpoint(self.list, VIEW)})]

    async def list(self, call: Call) -> Response:
        """Clients with a JWKS URL in order of their ids, ``max`` at a time; ``after`` with the last client id
        goes on. Each with the health of its URL, null where no client needed it lately. 503 while Redis does
        not answer."""
        most = min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
        criteria = Criteria(attributes={attributes.USE_JWKS_URL: "true"})
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
            found = await find_after(reading, realm.id, criteria, after=call.query("after") or "", most=most)
        urls = [client.jwks_url or "" for client in found]
        healths = await self._fetched.healths(urls, realm.allowed_networks)
        return JSONResponse(
            [_entry(client, url, health) for client, url, health in zip(found, urls, healths, strict=True)]
        )


def _entry(client: Client, url: str, health: KeySetHealth | None) -> dict[str, Any]:
    return {
        "client_uuid": client.uuid,
        "client_id": client.client_id,
        "url": url,
        "health": None if health is None else describe_health(health),
    }


def describe_health(health: KeySetHealth) -> dict[str, Any]:
    """Times are NumericDate seconds, null for never."""
    return {
        "keys": len(health.keys),
        "skipped": health.skipped,
        "last_success": health.last_success,
        "last_change": health.last_change,
        "fresh_until": health.fresh_until,
        "stale_until": health.stale_until,
        "last_attempt": health.last_attempt,
        "attempts": health.attempts,
        "failures": health.failures,
        "failure": health.failure,
        "failure_detail": health.failure_detail,
        "polled": health.polled,
        "next_poll": health.next_poll,
    }
