"""A whole deployment, each part in a separate process."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.testkit.certificates import Issued, make_authority
from tests.testkit.http_client import Server as PlainServer
from tests.testkit.jwks_server import JwksServer, serving
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.waiting import until_ready

API: Final = "https://orders.example.com"
"""The audience of the resource servers' tokens."""
ADMIN_ID, ADMIN_SECRET = "keyturn-admin", "the first admin's secret is long enough"
_CLI: Final = "keyturn.cli"
_RESOURCE_SERVER: Final = "tests.integration.revocation.library_process"
_SECRETS: Final = ("KEYTURN_FLEET_KEYS", "KEYTURN_ENCRYPTION_KEYS", "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET")
"""Variables that a resource server does not need."""
WAIT: Final = {"Prefer": "wait=60"}
_CONNECTIONS: Final = 48
_PROBES: Final = 512
"""Number of requests that fit in the sockets of a stopped process."""
_START_SECONDS: Final = 120.0
_ANSWER_SECONDS: Final = 120.0
_TOKEN_SECONDS: Final = 120.0
"""A token of an administrator lives for five minutes."""


@dataclass
class Server:
    """A process that answers over HTTP. ``probed``: for what is requested some thousand times."""

    name: str
    process: RunningProcess
    http: httpx.AsyncClient
    probed: PlainServer


@dataclass
class Deployment:
    """``public_url``: base of all issuers, where nothing listens: the parts are reached directly."""

    redis: EmbeddedRedis
    credentials: Server
    nodes: list[Server]
    libraries: list[Server]
    jwks: JwksServer
    authority: Issued
    public_url: str
    _token: str = ""
    _token_until: float = 0.0
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Make a call of the first administrator below ``/admin/realms``. A change is in effect when it
        returns."""
        headers = {"Authorization": f"Bearer {await self._admin_token()}", **WAIT}
        answer = await self.credentials.http.request(
            method, f"/admin/realms{path}", headers=headers, **request
        )
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        if method != "GET":
            require_in_force(answer)
        return answer

    async def _admin_token(self) -> str:
        async with self._fetching:
            if time.monotonic() >= self._token_until:
                answer = await self.credentials.http.post(
                    "/realms/master/protocol/openid-connect/token",
                    data={"grant_type": "client_credentials"},
                    auth=(ADMIN_ID, ADMIN_SECRET),
                )
                assert answer.status_code == 200, answer.text
                self._token = json.loads(answer.content)["access_token"]
                self._token_until = time.monotonic() + _TOKEN_SECONDS
        return self._token


def require_in_force(answer: httpx.Response) -> None:
    """Check that the answer reports no pending node."""
    assert answer.headers.get("preference-applied") == "wait", answer.headers
    assert answer.headers["keyturn-fleet"].endswith("pending=0"), answer.headers


@asynccontextmanager
async def deployed(directory: Path, processes: Processes) -> AsyncIterator[Deployment]:
    """Start two nodes and two resource servers; yield when they are ready."""
    authority = make_authority()
    (directory / "authorities.pem").write_bytes(authority.pem)
    redis = EmbeddedRedis(directory / "redis").start()
    async with AsyncExitStack() as stack:
        stack.callback(redis.stop)
        jwks = await stack.enter_async_context(serving())
        environment = _environment(directory, redis.url)

        async def start(name: str, *command: str, **more: str) -> Server:
            port = find_free_port()
            withheld = () if command[0] == _CLI else _SECRETS
            own = {key: value for key, value in environment.items() if key not in withheld}
            own |= {**more, "KEYTURN_PORT": str(port)}
            process = processes.start([sys.executable, "-m", *command], environment=own)
            limits = httpx.Limits(max_connections=_CONNECTIONS)
            timeout = httpx.Timeout(_ANSWER_SECONDS, pool=None)
            http = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=timeout, limits=limits
            )
            probed = PlainServer(str(http.base_url).rstrip("/"), connections=_PROBES)
            stack.callback(probed.close)
            return Server(name, process, await stack.enter_async_context(http), probed)

        credentials = await start("credentials service", _CLI, "credentials")
        of_credentials = {"KEYTURN_CREDENTIALS_URL": str(credentials.http.base_url)}
        nodes = [await start(name, _CLI, "verifier", **of_credentials) for name in ("node 0", "node 1")]
        names = ("resource server 0", "resource server 1")
        libraries = [await start(name, _RESOURCE_SERVER, API) for name in names]
        for server in (credentials, *nodes, *libraries):
            await until_ready(str(server.http.base_url), seconds=_START_SECONDS)
        public_url = environment["KEYTURN_PUBLIC_URL"]
        yield Deployment(redis, credentials, nodes, libraries, jwks, authority, public_url)


def _environment(directory: Path, redis_url: str) -> dict[str, str]:
    fleet_keys = KeyRing.generate_key()
    return {
        "KEYTURN_REDIS_URL": redis_url,
        "KEYTURN_DATABASE_URL": f"sqlite+aiosqlite:///{directory / 'keyturn.db'}",
        "KEYTURN_PUBLIC_URL": "https://id.example.test",
        "KEYTURN_HOST": "127.0.0.1",
        "KEYTURN_FLEET_KEYS": fleet_keys,
        "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key(),
        "KEYTURN_LOG_VERIFICATION_KEYS": LogSigningKeys.derived_from(fleet_keys).public_keys,
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": ADMIN_ID,
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": ADMIN_SECRET,
        "KEYTURN_LEASE_SECONDS": "3",
        # All clocks are this machine's: the replay barrier need not allow for a wrong one.
        "KEYTURN_CLOCK_SKEW": "1",
        # Hundreds of refusals come from one address, and none may be throttled.
        "KEYTURN_FAILURE_LIMIT_CLIENT": "0",
        "KEYTURN_FAILURE_LIMIT_ADDRESS": "0",
        "KEYTURN_JWKS_ALLOWED_NETWORKS": "127.0.0.0/8",
        "KEYTURN_JWKS_MIN_INTERVAL": "1",
        "KEYTURN_CLIENT_AUTHORITIES_PATH": str(directory / "authorities.pem"),
        "KEYTURN_CLIENT_CERT_PROXIES": "127.0.0.0/8",
        "KEYTURN_LOG_LEVEL": "warning",
    }
