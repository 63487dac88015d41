"""Verifier nodes inside the test's process, reached over ASGI."""

import asyncio
import base64
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import httpx
from starlette.types import ASGIApp

from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.signing import SigningKey
from keyturn_verifier.app import create_app
from keyturn_verifier.settings import VerifierSettings
from keyturn_verifier.web.application import VerifierApplication
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.secret_signing import sign_with_secret
from tests.testkit.waiting import in_time, wait_until

BASE_URL = "https://id.example.test"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_READY_SECONDS = 60.0


class TestClock(SystemClock):
    """The machine's clocks, shifted by a test."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = 0.0
        self.elapsed_ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead

    def elapsed(self) -> float:
        return super().elapsed() + self.elapsed_ahead


@dataclass
class RunningNode:
    """A node and a client of it."""

    app: VerifierApplication
    http: httpx.AsyncClient
    clock: TestClock

    async def token(self, realm: str, form: dict[str, str], **options: Any) -> httpx.Response:
        """Send a client_credentials request."""
        return await self.http.post(
            f"/realms/{realm}/protocol/openid-connect/token",
            data={"grant_type": "client_credentials", **form},
            **options,
        )

    async def token_by_assertion(self, realm: str, assertion: str, **form: str) -> httpx.Response:
        return await self.token(
            realm, {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **form}
        )

    async def token_by_secret(self, realm: str, client_id: str, secret: str) -> httpx.Response:
        return await self.token(realm, {}, headers={"Authorization": basic(client_id, secret)})

    async def ready(self) -> bool:
        return (await self.http.get("/health/ready")).status_code == 200

    async def applied(self, sequence: int) -> None:
        """Wait until the node has applied that event."""

        async def has() -> bool:
            return await self.metric("keyturn_node_position") >= sequence

        await eventually(has)

    async def metric(self, line: str) -> float:
        """Return the value of a metric with these labels, 0 if it never counted."""
        text = (await self.http.get("/metrics")).text
        return next((float(each.split()[-1]) for each in text.splitlines() if each.startswith(line)), 0.0)


@asynccontextmanager
async def running_node(
    redis_url: str, *, wait: bool = True, credentials: ASGIApp | None = None, **settings: Any
) -> AsyncIterator[RunningNode]:
    """Run a node of the fleet, by default until it is ready. ``credentials``: its credentials service."""
    clock = TestClock()
    values: dict[str, Any] = {
        "fetcher_enabled": False,
        "public_url": BASE_URL,
        "fleet_keys": FLEET_KEY,
        **settings,
    }
    to_credentials = None
    if credentials is not None:
        values.setdefault("credentials_url", "http://credentials")
        to_credentials = httpx.ASGITransport(app=credentials, raise_app_exceptions=False)
    app = create_app(
        VerifierSettings(redis_url=redis_url, **values),
        clock,
        to_credentials=to_credentials,
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with _lifespan(app), httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        node = RunningNode(app, http, clock)
        if wait:
            await eventually(node.ready)
        yield node


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = _READY_SECONDS) -> None:
    """Wait until a condition holds; fail if it does not in time."""
    await wait_until(condition, seconds, 0.005)


def basic(client_id: str, secret: str) -> str:
    """Return the header of RFC 6749 2.3.1."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def good_claims(client_id: str, audience: str, lifetime: int = 60) -> dict[str, Any]:
    """Return claims of a valid unused assertion (RFC 7523 section 3)."""
    now = int(time.time())
    return {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + lifetime,
    }


def assertion_claims(client_id: str, realm: str, **changes: Any) -> dict[str, Any]:
    """Return claims of a valid assertion; None removes a claim."""
    claims = good_claims(client_id, f"{BASE_URL}/realms/{realm}", lifetime=50) | changes
    return {name: value for name, value in claims.items() if value is not None}


def assertion(key: SigningKey, client_id: str, realm: str, **changes: Any) -> str:
    return key.sign_compact(key.header_segment(), assertion_claims(client_id, realm, **changes))


def secret_assertion(secret: str, client_id: str, realm: str, alg: str = "HS256", **changes: Any) -> str:
    return sign_with_secret(secret, alg, assertion_claims(client_id, realm, **changes))


@asynccontextmanager
async def _lifespan(app: VerifierApplication) -> AsyncIterator[None]:
    """Speak the lifespan protocol of ASGI, like a server."""
    to_app: asyncio.Queue[Any] = asyncio.Queue()
    from_app: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "state": {}}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    started = await in_time(from_app.get())
    assert started["type"] == "lifespan.startup.complete", started
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await in_time(from_app.get())
        await task
