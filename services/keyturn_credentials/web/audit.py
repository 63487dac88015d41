"""``/admin/realms/{realm}/audit``: a page of the audit log, or all of it as JSON lines."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from keyturn_credentials.domain.roles import Role
from keyturn_credentials.operations.recording import require_realm
from keyturn_credentials.store.audit_log import AuditCriteria, read_audit
from keyturn_credentials.store.transaction import Store
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.numbers import whole_number
from keyturn_shared.jose import strict_json

MAX_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 100
_BATCH: Final = 500


class AuditRoutes:
    """Handlers of the audit log. It is for who manages the realm."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [gate.route("/admin/realms/{realm}/audit", {"GET": Endpoint(self.get, (Role.MANAGE_REALM,))})]

    async def get(self, call: Call) -> Response:
        """Newest first, ``max`` at a time; ``before`` with the last id goes on. With
        ``Accept: application/jsonl`` everything, oldest first, one entry a line."""
        criteria = _read(call)
        most = min(whole_number(call, "max") or _DEFAULT_PAGE, MAX_PAGE)
        async with self._store.read() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
            if "application/jsonl" not in call.request.headers.get("accept", ""):
                return JSONResponse(await read_audit(reading, realm.id, criteria, most=most))
        return StreamingResponse(self._lines(realm.id, criteria), media_type="application/jsonl")

    async def _lines(self, realm_id: str, criteria: AuditCriteria) -> AsyncIterator[bytes]:
        while True:
            async with self._store.read() as reading:
                entries = await read_audit(reading, realm_id, criteria, most=_BATCH, oldest_first=True)
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
