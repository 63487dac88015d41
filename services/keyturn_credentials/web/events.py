"""``/admin/realms/{realm}/event-log``: what happened, in order."""

from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.roles import Role
from keyturn_credentials.operations.recording import require_realm
from keyturn_credentials.store.event_search import EventCriteria, read_events
from keyturn_credentials.store.transaction import Store
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.numbers import whole_number

MAX_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 100


class EventRoutes:
    """Handlers of the event log as people read it. Machines follow the stream in Redis."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self, gate: Gate) -> list[BaseRoute]:
        readers = (Role.VIEW_CLIENTS, Role.MANAGE_REALM)
        return [gate.route("/admin/realms/{realm}/event-log", {"GET": Endpoint(self.get, readers)})]

    async def get(self, call: Call) -> Response:
        """Newest first, ``max`` at a time; ``before`` with the last sequence goes on, ``after`` with the
        first one gives what is new."""
        criteria = EventCriteria(
            type=call.query("type") or None,
            client_id=call.query("client_id") or None,
            before=whole_number(call, "before"),
            after=whole_number(call, "after"),
        )
        most = min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
            return JSONResponse(await read_events(reading, realm.id, criteria, most=most))
