"""A process of clients that rotate their credentials themselves; it may be killed at any moment.

    python -m tests.rotation_kills.workers CONFIG

Each client looks for rotations as the adapter does, keeps its state on disk, and asks the nodes in turn for
tokens. What it was answered is appended to a file, one line each: client, when the request was signed, when
it was answered, and how.
"""

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from keyturn import (
    ClientCredentials,
    ClientKeys,
    ClientSecret,
    follow_key_rotations,
    follow_secret_rotations,
)

_TIMEOUT_SECONDS: Final = 10.0


class Config(msgspec.Struct):
    """``instances``, ``nodes``: URLs. ``secrets``: first secrets by client id, empty for a client with keys.
    ``state``: directory of the clients' state. ``answers``: file to append to. ``every``: mean seconds
    between two requests of a client for a token; it looks for rotations half as often."""

    issuer: str
    instances: list[str]
    nodes: list[str]
    secrets: dict[str, str]
    state: str
    answers: str
    every: float


class Gateway(httpx.AsyncBaseTransport):
    """Sends each request to a process that serves its path, and to another one if that does not answer."""

    def __init__(self, instances: Sequence[str], nodes: Sequence[str]) -> None:
        self._instances = instances
        self._nodes = nodes
        self._turn = count(random.randrange(1000))
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=None))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        servers = self._instances if "/rotation" in request.url.path else self._nodes
        first = next(self._turn)
        error: httpx.HTTPError | None = None
        for number in range(len(servers)):
            to = urlsplit(servers[(first + number) % len(servers)])
            url = request.url.copy_with(host=to.hostname, port=to.port)
            sent = httpx.Request(
                request.method,
                url,
                headers=request.headers,
                content=request.content,
                extensions=request.extensions,
            )
            try:
                return await self._transport.handle_async_request(sent)
            except httpx.ConnectError as failure:  # nothing was sent
                error = failure
        assert error is not None
        raise error


def credential_of(client_id: str, secret: str, state: Path) -> ClientSecret | ClientKeys:
    if secret:
        return ClientSecret(secret, state=state / f"{client_id}.json")
    return ClientKeys.generated("ES256", state=state / f"{client_id}.json")


async def _be(config: Config, client_id: str, secret: str, http: httpx.AsyncClient, answers: Path) -> None:

    async def look_soon(seconds: float) -> None:
        """Look more often than a server asks for: the rotations here are short."""
        await asyncio.sleep(min(seconds, 2.0 * config.every))

    credential = credential_of(client_id, secret, Path(config.state))
    credentials = ClientCredentials(config.issuer, client_id, credential)
    if isinstance(credential, ClientSecret):
        following = asyncio.create_task(
            follow_secret_rotations(credential, credentials, http, sleep=look_soon)
        )
    else:
        following = asyncio.create_task(follow_key_rotations(credential, credentials, http, sleep=look_soon))
    try:
        while not following.done():
            began = time.time()
            try:
                answer = await http.send(credentials.token_request(), auth=None)
                outcome = f"{answer.status_code} {answer.json().get('error', '')}".strip()
            except (httpx.HTTPError, ValueError):
                outcome = "none"
            with answers.open("a", encoding="ascii") as file:
                file.write(f"{client_id} {began:.3f} {time.time():.3f} {outcome}\n")
            await asyncio.sleep(random.uniform(0.5, 1.5) * config.every)
        following.result()  # it never ends by itself
    finally:
        following.cancel()


async def run(config: Config) -> None:
    transport = Gateway(config.instances, config.nodes)
    async with (
        httpx.AsyncClient(transport=transport, timeout=_TIMEOUT_SECONDS) as http,
        asyncio.TaskGroup() as tasks,
    ):
        for client_id, secret in config.secrets.items():
            tasks.create_task(_be(config, client_id, secret, http, Path(config.answers)))


if __name__ == "__main__":
    asyncio.run(run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Config)))
