"""``…/clients/{uuid}/evaluate``: what a client's token would look like, and whether it would be let in."""

from collections.abc import Callable
from typing import Final, Protocol

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.authorization.request_rate import RequestRate
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.evaluation import Evaluation, describe
from keyturn_credentials.domain.evaluation_request import EvaluationRequest, read_request
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.errors import ForbiddenError, TooManyEvaluationsError
from keyturn_credentials.http.bodies import read_json
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate

MAX_BODY_BYTES: Final = 64 * 1024
EVALUATIONS_A_SECOND: Final = 2.0
EVALUATIONS_AT_ONCE: Final = 30
"""Of one caller."""
SECRETS_A_SECOND: Final = 0.2
SECRETS_AT_ONCE: Final = 10
"""Of one client whose secret is tested, by all callers: fewer than the token endpoint allows."""


class Evaluating(Protocol):
    """Evaluates requests without any effect."""

    async def evaluate(self, realm: str, client: Client, request: EvaluationRequest) -> Evaluation: ...


class EvaluationRoutes:
    """Handlers of evaluations. ``elapsed``: a monotonic clock in seconds."""

    def __init__(self, queries: Queries, evaluator: Evaluating, elapsed: Callable[[], float]) -> None:
        self._queries = queries
        self._evaluator = evaluator
        self._of_callers = RequestRate(elapsed, a_second=EVALUATIONS_A_SECOND, at_once=EVALUATIONS_AT_ONCE)
        self._of_secrets = RequestRate(elapsed, a_second=SECRETS_A_SECOND, at_once=SECRETS_AT_ONCE)

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/evaluate"
        return [gate.route(path, {"POST": Endpoint(self.evaluate, VIEW)})]

    async def evaluate(self, call: Call) -> Response:
        """Evaluate a token request or an access token, and change nothing. Whoever tests a secret must be
        permitted to see and change it, or the answer would tell whether a guess is right."""
        realm, client = await self._queries.client(call.realm, call.client_uuid)
        if not self._of_callers.admits(call.principal.identity):
            raise TooManyEvaluationsError("too many evaluations; try again in some seconds")
        request = read_request(await read_json(call.request, most=MAX_BODY_BYTES))
        if request.tests_secret:
            _require_permission(call, client)
            if not self._of_secrets.admits(client.uuid):
                raise TooManyEvaluationsError("too many tests of this client's secret; try again in a minute")
        return JSONResponse(describe(await self._evaluator.evaluate(realm.name, client, request)))


def _require_permission(call: Call, client: Client) -> None:
    if not call.may(Role.CONFIGURE_CLIENTS):
        raise ForbiddenError("testing a client's secret needs the admin role configure-clients")
    if not call.principal.may_act_on(client.admin_roles, call.realm):
        raise ForbiddenError("this client has admin roles that the caller does not have")
