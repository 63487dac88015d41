"""The agent's responses, with a token endpoint that is there or not."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from urllib.parse import parse_qs

import httpx
import pytest

from keyturn import ClientCredentials, ClientKeys, ClientSecret, SignerError, SigningKey
from keyturn.agent.application import AgentApplication, PublishedKeys
from keyturn.agent.sinks.status import Status
from keyturn.agent.tokens import MAX_KINDS, Tokens

ISSUER = "https://id.example.test/realms/acme"


class TokenEndpoint:
    """Issues a numbered token, or answers as told. ``lifetime``: of its tokens, in seconds."""

    def __init__(self) -> None:
        self.answer: httpx.Response | Exception | None = None
        self.lifetime = 300
        self.asked: Counter[str] = Counter()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        self.asked[form.get("scope", ["none"])[0]] += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        number = self.asked.total()
        return httpx.Response(200, json={"access_token": f"token {number}", "expires_in": self.lifetime})


@pytest.fixture
def endpoint() -> TokenEndpoint:
    return TokenEndpoint()


def application(
    endpoint: TokenEndpoint, *, port: int | None = None, sinks: Sequence[Status] = ()
) -> AgentApplication:
    secret = ClientSecret("the secret")

    def credentials(scope: str | None, resource: str | None) -> ClientCredentials:
        return ClientCredentials(ISSUER, "orders", secret, scope=scope, resource=resource)

    outgoing = httpx.AsyncClient(transport=httpx.MockTransport(endpoint))
    return AgentApplication(Tokens(credentials), outgoing, port=port, sinks=sinks)


@pytest.fixture
async def agent(endpoint: TokenEndpoint) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(endpoint))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as http:
        yield http


async def test_a_token_is_requested_once_for_each_scope(
    agent: httpx.AsyncClient, endpoint: TokenEndpoint
) -> None:
    for _ in range(3):
        answer = await agent.get("/token")
        assert answer.json() == {"access_token": "token 1", "token_type": "Bearer", "expires_in": 299}
        assert answer.headers["cache-control"] == "no-store"
    assert (await agent.get("/token?scope=stock.read")).json()["access_token"] == "token 2"
    assert endpoint.asked == {"none": 1, "stock.read": 1}
    assert (await agent.get("/health")).json() == {"status": "ok"}


async def test_a_token_is_renewed_early_and_the_former_one_serves_while_the_server_is_away(
    agent: httpx.AsyncClient, endpoint: TokenEndpoint
) -> None:
    endpoint.lifetime = 20  # younger than half a minute: every call asks for another one
    assert (await agent.get("/token")).json()["access_token"] == "token 1"
    assert (await agent.get("/token")).json()["access_token"] == "token 2"
    for away in (httpx.ConnectError("away"), httpx.Response(503, text="later"), SignerError("no token")):
        endpoint.answer = away
        assert (await agent.get("/token")).json()["access_token"] == "token 2"


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (httpx.ConnectError("refused"), 503, "temporarily_unavailable"),
        (SignerError("the token 'orders' has locked its PIN"), 503, "temporarily_unavailable"),
        (httpx.Response(503, text="later"), 503, "temporarily_unavailable"),
        (httpx.Response(429, text="later"), 503, "temporarily_unavailable"),
        (httpx.Response(401, json={"error": "invalid_client"}), 502, "no_token"),
        (httpx.Response(200, text="no JSON"), 502, "no_token"),
    ],
)
async def test_without_a_token_it_is_said_whether_to_try_again(
    agent: httpx.AsyncClient,
    endpoint: TokenEndpoint,
    answer: httpx.Response | Exception,
    status: int,
    error: str,
) -> None:
    endpoint.answer = answer
    for path in ("/token", "/health"):
        refused = await agent.get(path)
        assert (refused.status_code, refused.json()["error"]) == (status, error)
        assert refused.headers.get("retry-after") == ("5" if status == 503 else None)
        assert "the secret" not in refused.text
    endpoint.answer = None
    assert (await agent.get("/token")).status_code == 200


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/token/", 404),
        ("POST", "/token", 405),
        ("GET", "/token?scop=a", 400),
        ("GET", "/token?scope=a&scope=b", 400),
        ("GET", "/token?scope", 400),
        ("GET", "/token?%ff", 400),
    ],
)
async def test_what_it_does_not_serve_is_refused(
    agent: httpx.AsyncClient, endpoint: TokenEndpoint, method: str, target: str, status: int
) -> None:
    assert (await agent.request(method, target)).status_code == status
    assert not endpoint.asked


async def test_the_sinks_are_shown_and_change_no_status(endpoint: TokenEndpoint) -> None:
    good, bad = Status("file:/run/secret", now=lambda: 1800000000.5), Status("webhook:a.example/")
    good.succeed()
    bad.fail("the receiver answers 500")
    shown = {
        "file:/run/secret": {"current": True, "last_success": 1800000000, "last_error": None},
        "webhook:a.example/": {"current": False, "last_success": None, "last_error": bad.failure},
    }
    transport = httpx.ASGITransport(application(endpoint, sinks=[good, bad]))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as http:
        healthy = await http.get("/health")
        assert (healthy.status_code, healthy.json()) == (200, {"status": "ok", "sinks": shown})
    transport = httpx.ASGITransport(application(endpoint, sinks=[good, bad]))
    endpoint.answer = httpx.ConnectError("away")
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as http:
        refused = await http.get("/health")
        assert (refused.status_code, refused.json()["sinks"]) == (503, shown)
        assert "sinks" not in (await http.get("/token")).json()


async def test_the_number_of_kinds_is_bounded(agent: httpx.AsyncClient, endpoint: TokenEndpoint) -> None:
    endpoint.answer = httpx.Response(400, json={"error": "invalid_scope"})
    for number in range(MAX_KINDS):
        assert (await agent.get(f"/token?scope=typo-{number}")).status_code == 502
    endpoint.answer = None
    for number in range(MAX_KINDS):
        assert (await agent.get(f"/token?scope={number}")).status_code == 200, "the refused ones do not count"
    assert (await agent.get("/token?scope=one-more")).status_code == 400
    assert (await agent.get("/token?scope=1")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Keyturn-Agent": "true"}, 200),
        ({"Keyturn-Agent": "true", "Host": "localhost:8090"}, 200),
        ({}, 403),
        ({"Keyturn-Agent": "1"}, 403),
        ({"Keyturn-Agent": "true", "Host": "evil.example:8090"}, 403),
        ({"Keyturn-Agent": "true", "Host": "127.0.0.1"}, 403),
        ({"Keyturn-Agent": "true", "Origin": "http://127.0.0.1:8090"}, 403),
        ({"Keyturn-Agent": "true", "Sec-Fetch-Site": "same-origin"}, 403),
    ],
)
async def test_over_tcp_no_page_in_a_browser_gets_a_token(
    endpoint: TokenEndpoint, headers: dict[str, str], status: int
) -> None:
    """Nor one whose name leads to this machine, so that it is of the same origin."""
    transport = httpx.ASGITransport(application(endpoint, port=8090))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8090") as http:
        assert (await http.get("/token", headers=headers)).status_code == status
    assert endpoint.asked.total() == (status == 200)


async def test_a_token_is_not_in_its_description(endpoint: TokenEndpoint) -> None:
    credentials = ClientCredentials(ISSUER, "orders", ClientSecret("the secret"))
    async with httpx.AsyncClient(transport=httpx.MockTransport(endpoint)) as http:
        token = await credentials.token(http)
    assert "token 1" not in repr(token)
    assert token.expires_at == pytest.approx(time.time() + 300, abs=60)


async def test_a_key_set_is_served_to_the_program_and_alone_to_everybody(endpoint: TokenEndpoint) -> None:
    keys = ClientKeys(SigningKey.generate())
    tokens = Tokens(lambda scope, resource: ClientCredentials(ISSUER, "orders", keys, scope=scope))
    outgoing = httpx.AsyncClient(transport=httpx.MockTransport(endpoint))
    own = httpx.ASGITransport(AgentApplication(tokens, outgoing, port=None, keys=keys))
    public = httpx.ASGITransport(PublishedKeys(keys))
    guarded = httpx.ASGITransport(AgentApplication(tokens, outgoing, port=8090, keys=keys))
    async with (
        httpx.AsyncClient(transport=own, base_url="http://agent") as to_own,
        httpx.AsyncClient(transport=public, base_url="http://agent") as to_public,
        httpx.AsyncClient(transport=guarded, base_url="http://127.0.0.1:8090") as to_guarded,
    ):
        for http in (to_own, to_public):
            assert (await http.get("/k_jwks")).json() == keys.jwks
        assert (await to_guarded.get("/k_jwks")).status_code == 403
        assert (await to_own.get("/token")).status_code == 200
        for path in ("/token", "/health", "/", "/k_jwks/"):
            assert (await to_public.get(path)).status_code == 404
        assert (await to_public.post("/k_jwks")).status_code == 405
        assert "/k_jwks" in (await to_own.get("/")).text


async def test_a_client_with_a_secret_has_no_key_set(agent: httpx.AsyncClient) -> None:
    assert (await agent.get("/k_jwks")).status_code == 404
