"""``/admin/realms/{realm}/jwks-urls``: the JWKS URLs of the realm's clients, and their health."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.queries.fetched_keys import FleetKeySets
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.store.search_query import Criteria
from keyturn_credentials.web.clients import VIEW
from keyturn_credentials.web.fetch_failures import shown_failure
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import whole_number
from keyturn_shared.key_sets.inspection import KeySetHealth

MAX_PAGE: Final = 500
_DEFAULT_PAGE: Final = 100


class JwksUrlHealthRoutes:
    """Handlers of the health of clients' JWKS URLs."""

    def __init__(self, queries: Queries, fetched: FleetKeySets) -> None:
        self._queries = queries
        self._fetched = fetched

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [gate.route("/admin/realms/{realm}/jwks-urls", {"GET": Endpoint(self.list, VIEW)})]

    async def list(self, call: Call) -> Response:
        """Return ``max`` clients with a JWKS URL in order of their ids; ``after`` with the last client id
        continues.

        Each has its URL's health, null if no client needed it recently. 503 while Redis does not answer.
        """
        most = min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
        criteria = Criteria(attributes={attributes.USE_JWKS_URL: "true"})
        realm = await self._queries.realm(call.realm)
        after = call.query("after") or ""
        found = await self._queries.clients_after(realm, criteria, after=after, most=most)
        urls = [client.jwks_url or "" for client in found]
        healths = await self._fetched.healths(urls, realm.allowed_networks)
        return JSONResponse(
            [
                _entry(client, url, health, call.principal)
                for client, url, health in zip(found, urls, healths, strict=True)
            ]
        )


def _entry(client: Client, url: str, health: KeySetHealth | None, principal: Principal) -> dict[str, Any]:
    return {
        "client_uuid": client.uuid,
        "client_id": client.client_id,
        "url": url,
        "health": None if health is None else _describe(health, principal),
    }


def _describe(health: KeySetHealth, principal: Principal) -> dict[str, Any]:
    """Describe the health. Times are NumericDate seconds, null for never."""
    failure, detail = shown_failure(health.failure, health.failure_detail, principal)
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
        "failure": failure,
        "failure_detail": detail,
        "polled": health.polled,
        "next_poll": health.next_poll,
    }
