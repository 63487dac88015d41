"""Octets that the ready-made files let through: each proxy in front of recording upstreams."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyturn_shared.network.proxy_headers import PROXY_HEADERS
from tests.integration.gateways.fronts import APIS, FRONTS, Places, until_it_listens
from tests.integration.gateways.hidden_requests import HEADS, hiding
from tests.integration.gateways.raw_http import chunked, http2, request, send
from tests.integration.gateways.recorder import Recorded, Recorder, recording
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until

FORGED = "forged"
OFFERS = {
    "h2c": {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"},
    "another": {"Connection": "Upgrade", "Upgrade": "forged"},
}
PATHS = ("/realms/acme/x", "/.well-known/x/realms/acme", "/admin/realms", "/console/")


@dataclass(frozen=True)
class Front:
    """A proxy and its upstreams. ``keyturn``: the first node, and all requests to keyturn."""

    name: str
    places: Places
    keyturn: Recorder
    second: Recorder
    orders: Recorder


@pytest.fixture(params=sorted(FRONTS))
async def front(request: pytest.FixtureRequest, processes: Processes, tmp_path: Path) -> AsyncIterator[Front]:
    async with (
        recording("first node") as (keyturn, first),
        recording("second node", keyturn.requests) as (second, other),
        recording("credentials", keyturn.requests) as (_, credentials),
        recording() as (orders, orders_place),
    ):
        places = Places(credentials, (first, other), orders_place, find_free_port(), find_free_port())
        process = FRONTS[request.param](processes, tmp_path, places)
        await until_it_listens(process, places.front)

        async def passes_on() -> bool:
            return (await send(places.front, get("/realms/acme/ready"))).status == 200

        await wait_until(passes_on, timeout=60)
        keyturn.requests.clear()
        yield Front(request.param, places, keyturn, second, orders)


def get(path: str, **headers: str) -> bytes:
    return request("GET", path, headers)


def forged_headers() -> dict[str, str]:
    """Return every name that keyturn may trust, and the same with underscores."""
    names = {"-".join(part.capitalize() for part in name.split("-")) for name in PROXY_HEADERS}
    return {name: FORGED for each in names for name in (each, each.replace("-", "_"))}


def require_clean(recorded: Recorded, path: str) -> None:
    assert recorded.target.endswith(path)
    assert FORGED not in recorded.head + recorded.rest, recorded
    assert not {name for name in recorded.names if "_" in name}
    # Headers set by the proxy itself.
    assert recorded.value("x-forwarded-for") in ("127.0.0.1", None)


async def test_no_name_that_keyturn_believes_comes_from_a_caller(front: Front) -> None:
    for path in PATHS:
        front.keyturn.requests.clear()
        answer = await send(front.places.front, request("GET", path, forged_headers()))
        assert answer.status == 200
        (recorded,) = front.keyturn.asked
        require_clean(recorded, path)
        assert recorded.value("x-forwarded-for") == "127.0.0.1"
        assert recorded.value("x-forwarded-proto") == "http"
        assert recorded.value("x-forwarded-host") == "keyturn.example"


@pytest.mark.parametrize("offer", OFFERS)
async def test_no_offer_of_another_protocol_is_passed_on(front: Front, offer: str) -> None:
    inner = b"DELETE /admin/realms/acme HTTP/1.1\r\nHost: x\r\n\r\n"
    for path in ("/realms/acme/protocol/openid-connect/token", "/admin/realms"):
        front.keyturn.requests.clear()
        offered = request("POST", path, OFFERS[offer], inner)
        answer = await send(front.places.front, offered + get("/realms/acme/last"))
        asked = [each for each in front.keyturn.asked if not each.target.endswith("/last")]
        if answer.status != 200:  # refused, and nothing forwarded
            assert (front.name, offer, answer.status) == ("envoy", "another", 403)
            assert asked == []
            continue
        assert answer.count == 2, "the connection goes on as HTTP/1.1"
        (recorded,) = asked
        assert inner.decode() in recorded.rest
        assert not {"upgrade", "http2-settings"} & recorded.names
        assert "upgrade" not in (recorded.value("connection") or "")


async def test_no_framing_is_passed_on_that_two_readers_could_take_differently(front: Front) -> None:
    """So the services behind find the end of a body where the proxy found it."""
    path = "/realms/acme/protocol/openid-connect/token"
    each_last = (send(front.places.front, hiding(path, name, "Connection: close")) for name in HEADS)
    await asyncio.gather(*each_last)
    assert front.keyturn.asked, "some are valid"
    for recorded in front.keyturn.asked:
        assert recorded.target == path, recorded
        framing = re.findall(r"^(?:content-length|transfer-encoding).*$", recorded.head, re.MULTILINE)
        assert len(framing) <= 1, recorded
        assert all(
            re.fullmatch(r"content-length: \d+\r|transfer-encoding: chunked\r", each) for each in framing
        )


async def test_no_trailer_is_passed_on(front: Front) -> None:
    body = chunked(
        b"grant_type=x", {"Client-Cert": FORGED, "X-Forwarded-For": FORGED, "Authorization": FORGED}
    )
    for announced in ({}, {"Trailer": "Client-Cert, X-Forwarded-For, Authorization"}):
        for method, path in (
            ("POST", "/realms/acme/protocol/openid-connect/token"),
            ("POST", "/admin/realms"),
            ("PUT", "/admin/realms/acme"),
            ("GET", "/admin/realms"),
        ):
            front.keyturn.requests.clear()
            headers = {"Transfer-Encoding": "chunked", **announced}
            answer = await send(front.places.front, request(method, path, headers, body))
            if front.name == "haproxy":
                assert (answer.status, front.keyturn.asked) == (411, [])
                continue
            assert answer.status == 200
            (recorded,) = front.keyturn.asked
            assert "grant_type=x" in recorded.rest
            require_clean(recorded, path)
    if front.name in APIS:
        headers = {"Transfer-Encoding": "chunked", "Authorization": "Bearer good"}
        forged = chunked(b"an order", {"X-Keyturn-Client": FORGED, "X-Keyturn-Scope": FORGED})
        assert (await send(front.places.api, request("POST", "/orders", headers, forged))).status == 200
        (told,) = front.orders.requests
        assert "an order" in told.rest
        require_clean(told, "/orders")


async def test_each_request_goes_to_the_service_that_answers_it(front: Front) -> None:
    administrators = (
        "/realms/master/protocol/openid-connect/token",
        "/realms/master/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/realms/master",
    )
    rotation = "/realms/acme/rotation"
    own_rotation = (rotation, "/realms/master/rotation", f"{rotation}/delivered", f"{rotation}/key")
    for path in (
        *administrators,
        *own_rotation,
        "/admin/realms",
        "/console",
        "/console/session",
        "/health/ready",
    ):
        front.keyturn.requests.clear()
        assert (await send(front.places.front, get(path))).status == 200
        assert {each.by for each in front.keyturn.requests if each.target == path} >= {"credentials"}, path
    nodes = ("/realms/acme/x", "/realms/mastery/protocol/x", "/realms/master/verify")
    near_rotation = ("/realms/acme/rotations", "/realms/acme/x/rotation", "/realms/acme/rotation/x")
    for path in (*nodes, *near_rotation, "/.well-known/x/realms/m"):
        front.keyturn.requests.clear()
        assert {(await send(front.places.front, get(path))).status for _ in range(4)} == {200}
        assert {each.by for each in front.keyturn.asked} == {"first node", "second node"}, path


async def test_a_503_counts_against_no_node(front: Front) -> None:
    """nginx, HAProxy and Envoy send the request to another node; the others pass it on."""
    front.second.status = 503
    path = "/realms/acme/protocol/openid-connect/token"
    asked_for = request("POST", path, {}, b"a=b")
    statuses = [(await send(front.places.front, asked_for)).status for _ in range(24)]
    if front.name in ("nginx", "haproxy", "envoy"):
        assert statuses == [200] * 24
    else:
        assert set(statuses) == {200, 503}
        assert statuses.count(200) >= 10
    asked = [each.by for each in front.keyturn.asked]
    assert asked.count("second node") >= 6, "it is asked to the last"
    front.second.status = 200
    statuses = [(await send(front.places.front, get(path))).status for _ in range(12)]
    assert statuses == [200] * 12


async def test_when_every_node_says_503_the_caller_hears_it_and_nothing_else(front: Front) -> None:
    front.keyturn.status = front.second.status = 503
    for _ in range(12):
        assert (await send(front.places.front, get("/realms/acme/x"))).status == 503
    front.keyturn.status = front.second.status = 200
    assert (await send(front.places.front, get("/realms/acme/x"))).status == 200


async def test_what_keyturn_does_not_serve_is_not_passed_on(front: Front) -> None:
    for path in ("/metrics", "/health/live", "/other"):
        assert (await send(front.places.front, get(path))).status == 404
    assert [each.target for each in front.keyturn.asked] == []
    root = await send(front.places.front, get("/"))
    assert root.status in (302, 307)
    assert b"/console/\r\n" in root.octets


async def test_an_api_and_keyturn_hear_of_the_caller_from_the_gateway_alone(front: Front) -> None:
    if front.name not in APIS:
        assert front.name == "haproxy", "it cannot ask anybody"
        return
    for offer in ({}, OFFERS["h2c"]):
        front.keyturn.requests.clear()
        front.orders.requests.clear()
        headers = {**forged_headers(), "Authorization": "Bearer good", **offer}
        octets = request("POST", "/orders?x=1", headers, b"a body")
        answer = await send(front.places.api, octets + get("/last") if offer else octets)
        assert answer.status == 200, answer
        asked, told = front.keyturn.asked[0], front.orders.asked[0]
        assert len(front.keyturn.asked) == len(front.orders.asked) == answer.count
        assert asked.target.startswith("/realms/acme/forward-auth")
        for recorded in (asked, told):
            assert FORGED not in recorded.head + recorded.rest, recorded
            assert not {name for name in recorded.names if "_" in name}
            assert "upgrade" not in recorded.names
        assert asked.value("authorization") == "bearer good"
        assert (told.value("x-keyturn-client"), told.value("x-keyturn-scope")) == ("reader", "all")
        assert "a body" in told.rest


async def test_no_caller_takes_away_what_a_gateway_says(front: Front) -> None:
    """``Connection`` names fields of one hop (RFC 9110 7.6.1): a proxy may drop one after setting it."""
    told_of_callers = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")
    listed = {"Connection": ", ".join(("close", *told_of_callers, "X-Keyturn-Client", "X-Keyturn-Scope"))}
    for path in PATHS:
        front.keyturn.requests.clear()
        answer = await send(front.places.front, request("GET", path, listed))
        if answer.status != 200:  # refused, and nothing forwarded
            assert (front.name, answer.status, front.keyturn.asked) == ("envoy", 400, [])
            continue
        (recorded,) = front.keyturn.asked
        told = tuple(recorded.value(name.lower()) for name in told_of_callers)
        assert told == ("127.0.0.1", "http", "keyturn.example")
    if front.name not in APIS:
        return
    headers = {"Authorization": "Bearer good", "Connection": "close, X-Keyturn-Client, X-Keyturn-Scope"}
    front.orders.requests.clear()
    assert (await send(front.places.api, request("GET", "/orders", headers))).status == 200
    (told_api,) = front.orders.asked
    assert (told_api.value("x-keyturn-client"), told_api.value("x-keyturn-scope")) == ("reader", "all")


async def test_no_trailer_of_http2_is_passed_on(front: Front) -> None:
    """No proxy offers plain-text HTTP/2, but a caller can begin with it; its bodies need no length."""
    path = "/realms/acme/protocol/openid-connect/token"
    head = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "keyturn.example"}
    octets = http2(head, b"grant_type=x", {"client-cert": FORGED, "x-forwarded-for": FORGED})
    answer = await send(front.places.front, octets, seconds=3)
    if front.name in ("nginx", "haproxy"):  # they don't speak it
        assert (answer.octets[:12], front.keyturn.asked) == (b"HTTP/1.1 400", [])
        return
    await wait_until(lambda: front.keyturn.asked, timeout=60)
    for recorded in front.keyturn.asked:
        require_clean(recorded, path)
