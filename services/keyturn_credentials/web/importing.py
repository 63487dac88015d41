"""``/admin/realms/{realm}/partialImport``: the clients of a Keycloak export."""

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.http.bodies import read_export
from keyturn_credentials.operations.changes import Done
from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.import_report import describe_report
from keyturn_credentials.operations.importing import ImportOperations
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
        document = await read_export(call.request)
        try:
            if_exists = IfExists(document.get("ifResourceExists") or IfExists.FAIL)
        except ValueError:
            raise InvalidRequestError(f"ifResourceExists must be one of {', '.join(IfExists)}") from None
        dry_run = call.is_true("dryRun")
        report = await self._operations.run(
            call.actor, call.realm, document, if_exists=if_exists, dry_run=dry_run
        )
        if report.sequence is not None:
            call.changed(Done(report.sequence, report))
        return JSONResponse(describe_report(report))
