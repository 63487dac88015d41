"""``/admin/realms/{realm}/notices``: what needs a person."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.notices import Notice, describe
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import whole_number

MAX_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 200


class NoticeRoutes:
    """Handlers of the list of open notices."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [gate.route("/admin/realms/{realm}/notices", {"GET": Endpoint(self.list, VIEW)})]

    async def list(self, call: Call) -> Response:
        """Return ``max`` open notices, newest first; ``before`` with the last number continues."""
        most = min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
        found = await self._queries.notices(call.realm, before=whole_number(call, "before"), most=most)
        return JSONResponse([_entry(each) for each in found])


def _entry(notice: Notice) -> dict[str, Any]:
    delivery = None if notice.delivery is None else notice.delivery.value
    return {"number": notice.number, **describe(notice), "delivery": delivery}
