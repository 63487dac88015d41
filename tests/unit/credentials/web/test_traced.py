"""Calls of administrators are spans; nobody else's are."""

from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import ConflictError, UnauthenticatedError
from keyturn_credentials.http.problems import on_keyturn_error, on_unexpected
from keyturn_credentials.operations.access_journal import Access
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.traced import Traced
from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.registry import FleetSummary
from tests.testkit.spans import Spans, attributes_of, parent_of

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


class _Waits:
    async def wait(self, sequence: int, timeout: float) -> FleetSummary:
        return FleetSummary(1, 0, ())

    wait_while_likely = wait


@dataclass
class _Scene:
    """A service with one endpoint. ``inside``: whether the handler was inside a span."""

    spans: Spans = field(default_factory=Spans)
    inside: bool | None = None

    def note(self, access: Access) -> None:
        """Note nothing."""

    async def call(
        self, headers: dict[str, str] | list[tuple[str, str]], *, traced: bool = True, name: str = "a-name"
    ) -> httpx.Response:
        async def authenticate(request: Request) -> Principal:
            if "authorization" not in request.headers:
                raise UnauthenticatedError("no")
            return Principal.system()

        async def change(call: Call) -> Response:
            self.inside = self.spans.tracer.has_current()
            if call.path("realm") == "taken":
                raise ConflictError("the secret text of a caller")
            if call.path("realm") == "broken":
                raise KeyError("the secret text of a caller")
            call.sequence = 42
            return Response(status_code=204)

        gate = Gate(authenticate, _Waits(), self, default_wait_seconds=1.0)
        app = Starlette(
            exception_handlers={KeyturnError: on_keyturn_error, Exception: on_unexpected},
            routes=[gate.route("/admin/realms/{realm}/thing", {"POST": Endpoint(change, ())})],
            middleware=[Middleware(Traced, tracer=self.spans.tracer)] if traced else [],
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://keyturn.test") as http:
            return await http.post(f"/admin/realms/{name}/thing?value=hidden", headers=headers)


BEARER = {"Authorization": "Bearer hidden"}


async def test_an_administrators_call_continues_the_callers_trace() -> None:
    scene = _Scene()
    response = await scene.call(BEARER | {"traceparent": f"{CALLER}-01", "tracestate": "vendor=hidden"})
    assert (response.status_code, scene.inside) == (204, True)
    span = scene.spans.the_one()
    assert (parent_of(span), span.name) == (CALLER, "POST /admin/realms/{realm}/thing")
    assert attributes_of(span) == {
        "http.request.method": "POST",
        "http.route": "/admin/realms/{realm}/thing",
        "http.response.status_code": 204,
        "url.scheme": "http",
        "keyturn.realm": "a-name",
    }
    assert "hidden" not in span.to_json()


@pytest.mark.parametrize(
    "given", [[], [("traceparent", "nonsense")], [("traceparent", f"{CALLER}-01")] * 2], ids=len
)
async def test_without_one_valid_context_the_call_begins_a_trace(given: list[tuple[str, str]]) -> None:
    scene = _Scene()
    await scene.call([*BEARER.items(), *given])
    assert parent_of(scene.spans.the_one()) is None


async def test_a_caller_who_is_not_authenticated_gets_no_span() -> None:
    scene = _Scene()
    assert (await scene.call({"traceparent": f"{CALLER}-01"})).status_code == 401
    assert (scene.inside, scene.spans.ended) == (None, [])


@pytest.mark.parametrize(
    ("name", "status", "code", "failed"), [("taken", 409, "conflict", False), ("broken", 500, "500", True)]
)
async def test_a_call_that_fails_has_the_code_and_not_the_text(
    name: str, status: int, code: str, *, failed: bool
) -> None:
    scene = _Scene()
    await scene.call(BEARER, name=name)
    span = scene.spans.the_one()
    assert attributes_of(span)["error.type"] == code
    assert attributes_of(span).get("http.response.status_code", 500) == status
    assert span.status.is_ok is not failed
    assert "secret text" not in span.to_json()


async def test_a_service_without_traces_makes_no_spans() -> None:
    scene = _Scene()
    await scene.call(BEARER | {"traceparent": f"{CALLER}-01"}, traced=False)
    assert (scene.inside, scene.spans.ended) == (False, [])
