"""The demo client's process, controlled by the stack that started it."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from subprocess import PIPE
from typing import Any, Final

from keyturn.local.errors import StackError

REALM: Final = "demo"
CLIENT_ID: Final = "demo-client"
_RESPONSE_TIMEOUT_SECONDS: Final = 30.0


class DemoClientProcess:
    """The client's process, which exchanges lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.jwks_url = ""
        self.kids: dict[str, str] = {}

    async def greet(self) -> None:
        hello = await self._hear()
        self.jwks_url, self.kids = hello["jwks_url"], hello["keys"]

    async def token(self, node_url: str, audience: str, key: str) -> dict[str, Any]:
        url = f"{node_url}/realms/{REALM}/protocol/openid-connect/token"
        return await self._ask({"do": "token", "url": url, "audience": audience, "key": key})

    async def publish(self, *names: str) -> None:
        await self._ask({"do": "publish", "names": names})

    async def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None  # noqa: S101 - started with a pipe
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self._hear()

    async def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - started with a pipe
        try:
            async with asyncio.timeout(_RESPONSE_TIMEOUT_SECONDS):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            raise StackError("the demo's client does not respond") from error
        if not line:
            raise StackError("the demo's client ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextlib.asynccontextmanager
async def demo_client() -> AsyncIterator[DemoClientProcess]:
    """Run the client's process while the block runs. It ends by itself when this process does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "keyturn.demo.client",
        CLIENT_ID,
        stdin=PIPE,
        stdout=PIPE,
        start_new_session=True,
    )
    try:
        client = DemoClientProcess(process)
        await client.greet()
        yield client
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
