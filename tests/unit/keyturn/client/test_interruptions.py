"""A rotation of a key that is interrupted at any step, and continued after a restart."""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from keyturn import (
    ClientCredentials,
    ClientKeys,
    Signer,
    SigningKey,
    follow_key_rotations,
    rotate_on_schedule,
)
from keyturn.client import keys as keys_module
from keyturn.client.key_state import KeyState
from keyturn.client.key_state import write_state as write_really
from tests.testkit.key_server import ISSUER, KeyServer
from tests.unit.keyturn.client.token_key import TokenKey

PUBLISHED_SECONDS = 75
"""An assertion may live for a minute, and verifiers allow for some skew."""
FIRSTS: tuple[Signer, ...] = (SigningKey.generate(), TokenKey.first())
"""In this process, and in a token."""


class CrashError(BaseException):
    """The process has ended; nothing catches this but ``except BaseException``."""


class EnoughError(Exception):
    """Ends a task that runs for ever."""


class World:
    """A client that requests tokens at every step, and its server. ``crash_at``: number of the step at which
    the process is killed. ``steps``: that were made."""

    def __init__(self, directory: Path, first: Signer, kind: str, crash_at: int) -> None:
        self.first = first
        self.file = directory / "keys.json"
        self.kind = kind
        self.crash_at = crash_at
        self.steps = 0
        self.signed: dict[str, float] = {}
        self.left: bytes | None = None
        self.is_working = False
        self.server = KeyServer(dict(first.public_jwk), published=None if kind == "registered" else self.jwks)
        self.start()

    def start(self) -> None:
        """Start the client's process, from what is on disk."""
        self.keys = ClientKeys(self.first, state=self.file, elapsed=self.now, now=self.now)
        self.credentials = ClientCredentials(ISSUER, "worker", self.keys, now=self.now)

    def now(self) -> float:
        return self.server.now

    def jwks(self) -> dict[str, Any]:
        return self.keys.jwks

    def step(self) -> None:
        """Check what must hold at every moment; then work, or be killed."""
        published = {key["kid"] for key in self.jwks()["keys"]}
        live = {kid for kid, at in self.signed.items() if self.now() < at + PUBLISHED_SECONDS}
        assert self.keys.signing.kid in published
        assert live <= published, "withdrawn while an assertion under it may live"
        self.count()
        if not self.is_working:
            self.is_working = True
            self.work()
            self.is_working = False

    def count(self) -> None:
        """Be killed, if it is time for that."""
        self.steps += 1
        if self.steps == self.crash_at:
            self.left = self.file.read_bytes()
            raise CrashError

    def work(self) -> None:
        """Request a token as a program does: it always gets one."""
        flow = self.credentials.auth_flow(httpx.Request("GET", "https://api.example.test"))
        request = next(flow)
        while request.url.host == "id.example.test":
            request = flow.send(self.server(request))
        self.credentials._token = None  # the next one again
        self.signed[self.keys.signing.kid] = self.now()

    def http(self) -> httpx.AsyncClient:
        def answer(request: httpx.Request) -> httpx.Response:
            self.step()
            self.server.now += 0.1
            answered = self.server(request)
            self.step()
            return answered

        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    def write(self, path: Path, state: KeyState) -> None:
        is_first = not self.file.exists()
        if not is_first:
            self.count()
        write_really(path, state)
        if not is_first:
            self.count()

    async def sleep(self, seconds: float) -> None:
        self.step()
        self.server.now += seconds
        if self.is_over:
            raise EnoughError

    @property
    def is_over(self) -> bool:
        is_alone = [key["kid"] for key in self.jwks()["keys"]] == [self.keys.signing.kid]
        return self.server.state is None and is_alone and self.keys.signing.kid != self.first.kid

    def restart(self) -> None:
        """Kill what remains of the process, and start it again."""
        assert self.left is not None
        self.file.write_bytes(self.left)
        self.is_working = False
        self.crash_at = -1
        self.start()


Drive = Callable[[World, httpx.AsyncClient], Awaitable[NoReturn]]


async def follow(world: World, http: httpx.AsyncClient) -> NoReturn:
    await follow_key_rotations(world.keys, world.credentials, http, sleep=world.sleep)


async def schedule(world: World, http: httpx.AsyncClient) -> NoReturn:
    every = timedelta(hours=1)
    await rotate_on_schedule(world.keys, world.credentials, http, every=every, sleep=world.sleep)


async def run(world: World, drive: Drive) -> None:
    async with world.http() as http:
        with suppress(EnoughError):
            await drive(world, http)


@pytest.mark.parametrize(
    ("kind", "drive"), [("registered", follow), ("JWKS URL", follow), ("JWKS URL", schedule)]
)
@pytest.mark.parametrize("first", FIRSTS, ids=["in this process", "in a token"])
async def test_a_rotation_survives_a_restart_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Signer, kind: str, drive: Drive
) -> None:
    """Its keys are published for as long as anything that they signed may live, and no token is refused."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # the machine itself does not fail here
    crashes, crash_at = 0, 0
    while crashes == crash_at:
        crash_at += 1
        directory = tmp_path / str(crash_at)
        directory.mkdir()
        world = World(directory, first, kind, crash_at)
        monkeypatch.setattr(keys_module, "write_state", world.write)
        if drive is follow:
            world.server.wants_key()
        try:
            await run(world, drive)
        except CrashError:
            crashes += 1
            world.restart()
            await run(world, drive)
        assert world.is_over, crash_at
        assert world.keys.signing.kid != first.kid
    assert crashes > 10
