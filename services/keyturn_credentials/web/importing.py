"""``/admin/realms/{realm}/partialImport``: the clients of a Keycloak export."""

from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.importing import Action, IfExists, ImportOperations, ImportReport
from keyturn_credentials.operations.recording import Done
from keyturn_credentials.web.bodies import read_json
from keyturn_credentials.web.clients import MANAGE
from keyturn_credentials.web.gate import Call, Endpoint, Gate


class ImportRoutes:
    """Keycloak's partial import, for clients; with ``?dryRun=true`` nothing is written."""

    def __init__(self, operations: ImportOperations) -> None:
        self._operations = operations

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            gate.route("/admin/realms/{realm}/partialImport", {"POST": Endpoint(self.run, MANAGE)}),
        ]

    async def run(self, call: Call) -> Response:
        document = await read_json(call.request)
        try:
            if_exists = IfExists(document.get("ifResourceExists") or IfExists.FAIL)
        except ValueError:
            raise InvalidRequestError(f"ifResourceExists is one of {', '.join(IfExists)}") from None
        dry_run = (call.query("dryRun") or "").lower() == "true"
        report = await self._operations.run(
            call.actor, call.realm, document, if_exists=if_exists, dry_run=dry_run
        )
        if report.sequence is not None:
            call.changed(Done(report.sequence, report))
        return JSONResponse(describe_report(report))


def describe_report(report: ImportReport) -> dict[str, Any]:
    """Keycloak's PartialImportResults, with what was refused and what of a client was not taken over."""
    return {
        "dryRun": report.dry_run,
        "added": report.count(Action.ADDED),
        "overwritten": report.count(Action.OVERWRITTEN),
        "skipped": report.count(Action.SKIPPED),
        "refused": report.count(Action.REFUSED),
        "results": [
            {
                "action": client.action.value,
                "resourceType": "CLIENT",
                "resourceName": client.client_id,
                "id": client.uuid,
                "notes": list(client.notes),
            }
            for client in report.clients
        ],
    }
