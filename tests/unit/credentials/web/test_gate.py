"""A change waits for the fleet, and its caller gets a report."""

from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.access_journal import Access
from keyturn_credentials.web.gate import Call, Endpoint, Gate, prefers_no_wait, wait_preference
from keyturn_shared.fleet.registry import UNACCOUNTED, UNKNOWN, FleetSummary


@dataclass
class NotedWaits:
    """Records the waits it was asked for."""

    summary: FleetSummary
    asked: list[tuple[str, int, float]] = field(default_factory=list)

    async def wait(self, sequence: int, timeout: float) -> FleetSummary:
        self.asked.append(("wait", sequence, timeout))
        return self.summary

    async def wait_while_likely(self, sequence: int, timeout: float) -> FleetSummary:
        self.asked.append(("likely", sequence, timeout))
        return self.summary


@dataclass
class NotedAccesses:
    """Records the accesses it was told of."""

    noted: list[Access] = field(default_factory=list)

    def note(self, access: Access) -> None:
        self.noted.append(access)


SAFE = FleetSummary(applied=2, fenced=1, pending=())
PENDING = FleetSummary(applied=2, fenced=0, pending=("node-3",))


async def answer(
    waits: NotedWaits, headers: dict[str, str], *, default: float = 1.0, url: str = "/change/1"
) -> httpx.Response:
    async def nobody(request: Request) -> Principal:
        return Principal.system()

    async def change(call: Call) -> Response:
        call.sequence = 42
        return Response(status_code=204)

    async def refuse(request: Request, error: Exception) -> Response:
        return Response(str(error), 400)

    gate = Gate(nobody, waits, NotedAccesses(), default_wait_seconds=default)
    app = Starlette(
        exception_handlers={InvalidRequestError: refuse},
        routes=[gate.route("/change/{name}", {"POST": Endpoint(change, ())})],
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://keyturn.test") as http:
        return await http.post(url, headers=headers)


async def test_a_caller_who_does_not_ask_waits_for_the_default() -> None:
    waits = NotedWaits(SAFE)
    response = await answer(waits, {})
    assert waits.asked == [("likely", 42, 1.0)]
    assert response.headers["keyturn-fleet"] == "nodes=3, applied=2, fenced=1, pending=0"
    assert "preference-applied" not in response.headers


async def test_what_is_not_known_of_the_fleet_is_no_number() -> None:
    """A dictionary of RFC 9651 with one boolean member."""
    response = await answer(NotedWaits(UNKNOWN), {"Prefer": "wait=5"})
    assert response.headers["keyturn-fleet"] == "unknown"
    assert "preference-applied" not in response.headers


async def test_nodes_that_redis_may_have_forgotten_are_pending_and_are_not_counted() -> None:
    summary = FleetSummary(applied=2, fenced=0, pending=(UNACCOUNTED,))
    response = await answer(NotedWaits(summary), {})
    assert response.headers["keyturn-fleet"] == "nodes=2, applied=2, fenced=0, pending=1"


@pytest.mark.parametrize(("summary", "applied"), [(SAFE, "wait"), (PENDING, None)])
async def test_a_preference_is_applied_exactly_when_nobody_is_pending(
    summary: FleetSummary, applied: str | None
) -> None:
    waits = NotedWaits(summary)
    response = await answer(waits, {"Prefer": "wait=7"})
    assert waits.asked == [("wait", 42, 7.0)]
    assert response.headers.get("preference-applied") == applied


@pytest.mark.parametrize(("headers", "default"), [({"Prefer": "respond-async"}, 1.0), ({}, 0.0)])
async def test_nobody_waits_where_it_is_not_wanted(headers: dict[str, str], default: float) -> None:
    waits = NotedWaits(SAFE)
    response = await answer(waits, headers, default=default)
    assert waits.asked == []
    assert response.headers["keyturn-sequence"] == "42"
    assert "keyturn-fleet" not in response.headers


@pytest.mark.parametrize("url", ["/change/a%00b", "/change/a%2500b", "/change/a?first=%00"])
async def test_no_part_of_the_url_has_a_nul_character(url: str) -> None:
    waits = NotedWaits(SAFE)
    response = await answer(waits, {}, url=url)
    assert (response.status_code, waits.asked) == (400, [])
    assert response.text == "the URL must not contain a NUL character"


@pytest.mark.parametrize(
    ("header", "seconds", "no_wait"),
    [
        ("wait=5", 5.0, False),
        ("respond-async, wait=10", 10.0, True),
        ('return=minimal; foo="bar", wait="3"', 3.0, False),
        ("wait=100000", 60.0, False),
        ("await=5", None, False),
        ("respond-asynchronously", None, False),
        ("wait=-1", None, False),
    ],
)
def test_preferences_are_read_as_rfc_7240_writes_them(
    header: str, seconds: float | None, no_wait: bool
) -> None:
    assert (wait_preference([header]), prefers_no_wait([header])) == (seconds, no_wait)
