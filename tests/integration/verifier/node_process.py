"""A verifier node as a separate process, which signals can stop."""

import asyncio
import base64
import sys
from collections.abc import Mapping
from urllib.parse import quote_plus, urlencode

import httpx

from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import ASSERTION_TYPE, BASE_URL
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.waiting import wait_until

_START_SECONDS = 60.0
_ANSWER_SECONDS = 30.0


class NodeProcess:
    """Reached over plain sockets: requests to a stopped process wait until it continues."""

    def __init__(self, process: RunningProcess, port: int, scheme: str = "http") -> None:
        self.process = process
        self._port = port
        self._scheme = scheme

    @classmethod
    async def start(
        cls, processes: Processes, redis_url: str, *, scheme: str = "http", **settings: str
    ) -> "NodeProcess":
        """Start a process and wait until it is ready."""
        port = find_free_port()
        environment = {
            "KEYTURN_REDIS_URL": redis_url,
            "KEYTURN_FLEET_KEYS": FLEET_KEY,
            "KEYTURN_PUBLIC_URL": BASE_URL,
            "KEYTURN_HOST": "127.0.0.1",
            "KEYTURN_PORT": str(port),
            "KEYTURN_FETCHER_ENABLED": "false",
        }
        command = [sys.executable, "-m", "keyturn.cli", "verifier"]
        node = cls(processes.start(command, environment=environment | settings), port, scheme)
        await wait_until(node.ready, timeout=_START_SECONDS)
        return node

    @property
    def base_url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._port}"

    async def ready(self) -> bool:
        try:
            # The certificate does not matter here.
            async with httpx.AsyncClient(trust_env=False, verify=False) as http:
                return (await http.get(f"{self.base_url}/health/ready")).status_code == 200
        except httpx.HTTPError:
            return False

    async def send(self, form: Mapping[str, str], authorization: str = "") -> "asyncio.Task[int]":
        """Send a token request before returning; the task returns the answer's status."""
        body = urlencode({"grant_type": "client_credentials", **form}).encode()
        lines = [
            "POST /realms/acme/protocol/openid-connect/token HTTP/1.1",
            "Host: node",
            "Connection: close",
        ]
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        lines += [f"Authorization: {authorization}"] if authorization else []
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

        async def status() -> int:
            async with asyncio.timeout(_ANSWER_SECONDS):
                line = await reader.readline()
            writer.close()
            return int(line.split()[1])

        return asyncio.create_task(status())

    async def ask_with_secret(self, client_id: str, secret: str) -> "asyncio.Task[int]":
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
        return await self.send({}, f"Basic {base64.b64encode(pair).decode()}")

    async def ask_with_assertion(self, assertion: str) -> "asyncio.Task[int]":
        return await self.send({"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion})
