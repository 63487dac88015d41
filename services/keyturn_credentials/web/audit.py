"""``/admin/realms/{realm}/audit``: a page of the audit log, or all of it as JSON lines."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.store.audit_log import AuditCriteria
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.query_params import whole_number
from keyturn_shared.jose import strict_json

MAX_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 100
_BATCH: Final = 500


class AuditRoutes:
    """Handlers of the audit log, for administrators of the realm."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [gate.route("/admin/realms/{realm}/audit", {"GET": Endpoint(self.get, (Role.MANAGE_REALM,))})]

    async def get(self, call: Call) -> Response:
        """Return ``max`` entries, newest first; ``before`` with the last id continues. With ``Accept:
        application/jsonl``, return everything, oldest first, one entry per line."""
        criteria = _read(call)
        most = min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
        realm = await self._queries.realm(call.realm)
        if "application/jsonl" not in call.request.headers.get("accept", ""):
            return JSONResponse(await self._queries.audit(realm, criteria, most=most))
        return StreamingResponse(self._lines(realm, criteria), media_type="application/jsonl")

    async def _lines(self, realm: Realm, criteria: AuditCriteria) -> AsyncIterator[bytes]:
        while True:
            entries = await self._queries.audit(realm, criteria, most=_BATCH, oldest_first=True)
            for entry in entries:
                yield strict_json.encode(entry) + b"\n"
            if len(entries) < _BATCH:
                return
            criteria = replace(criteria, after=entries[-1]["id"])


def _read(call: Call) -> AuditCriteria:
    return AuditCriteria(
        client_uuid=call.query("client_uuid"),
        client_id=call.query("client_id"),
        actor=call.query("actor"),
        action=call.query("action"),
        since=whole_number(call, "since"),
        until=whole_number(call, "until"),
        before=whole_number(call, "before"),
        after=whole_number(call, "after"),
    )
