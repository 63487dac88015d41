"""``/admin/realms/{realm}/event-log``: the realm's events, in order."""

from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.roles import Role
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.store.event_search import EventCriteria
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import whole_number

MAX_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 100


class EventRoutes:
    """Handlers of the event log for people. Machines follow the stream in Redis."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def routes(self, gate: Gate) -> list[BaseRoute]:
        readers = (Role.VIEW_CLIENTS, Role.MANAGE_REALM)
        return [gate.route("/admin/realms/{realm}/event-log", {"GET": Endpoint(self.get, readers)})]

    async def get(self, call: Call) -> Response:
        """Return ``max`` events, newest first; ``before`` with the last sequence continues, ``after`` with
        the first one returns new ones."""
        criteria = EventCriteria(
            type=call.query("type") or None,
            client_id=call.query("client_id") or None,
            before=whole_number(call, "before"),
            after=whole_number(call, "after"),
        )
        most = min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
        return JSONResponse(await self._queries.events(call.realm, criteria, most=most))
