"""Callers of every kind through nginx, each at a steady rate, whatever the results."""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from tests.engines.record import Record, recording
from tests.testkit.admin_client import REALM, Admin
from tests.testkit.http_client import NoAnswerError
from tests.testkit.revocable_clients import TOKEN_TARGET, Credential, KeyClient, SecretClient, StormClient
from tests.testkit.waiting import happens

SECRET: Final = "secret"
KEY: Final = "private_key_jwt"
INTROSPECTION: Final = "introspection"
CHANGE: Final = "admin change"
ADMIN_TOKEN: Final = "admin token"
ENDED: Final = "ended credential"
READY: Final = "ready"
STEADY: Final = (SECRET, KEY, INTROSPECTION, CHANGE)
"""Kinds that succeed while nothing is wrong."""

_ENDED_KEPT: Final = 400
_UNDER_WAY: Final = 40
_CHANGING: Final = 6
_ASKED_SECONDS: Final = 30.0
_WAIT: Final = {"Prefer": "wait=10"}


@dataclass(frozen=True)
class Rates:
    """Requests per second."""

    secrets: float = 10.0
    keys: float = 5.0
    introspections: float = 5.0
    changes: float = 2.0
    ended: float = 5.0
    ready: float = 4.0


class Load:
    """``created``: ids of clients whose creation was acknowledged."""

    def __init__(self, base_url: str, record: Record) -> None:
        self.created: list[str] = []
        self._record = record
        self._base_url = base_url
        self._servers = {
            kind: recording(base_url, kind, record) for kind in (*STEADY, ADMIN_TOKEN, ENDED, READY)
        }
        self._admin = Admin(self._servers[CHANGE], [self._servers[ADMIN_TOKEN]])
        self._changing: list[StormClient] = []
        self._ended: deque[Credential] = deque(maxlen=_ENDED_KEPT)
        self._names = (f"made-{number}" for number in itertools.count())
        self._under_way: set[asyncio.Task[None]] = set()
        self._token = ""

    async def register(self, keys: int) -> None:
        """Create the realm and its clients; ``keys``: how many of each client's keys can be revoked."""
        audience = f"{self._base_url}/realms/{REALM}"
        await self._admin.create_realm()
        self._by_secret = await SecretClient.register(self._admin, "steady")
        self._by_key = await KeyClient.register(self._admin, "signer", audience, 1)
        for number in range(_CHANGING):
            name = f"changing-{number}"
            self._changing.append(
                await SecretClient.register(self._admin, name)
                if number % 2
                else await KeyClient.register(self._admin, name, audience, keys)
            )

    async def run(self, rates: Rates, stop: asyncio.Event) -> None:
        changes = itertools.cycle((self._end_one, self._create))
        calls = [
            (rates.secrets, itertools.repeat(self._ask_by_secret)),
            (rates.keys, itertools.repeat(self._ask_by_key)),
            (rates.introspections, itertools.repeat(self._introspect)),
            (rates.changes, changes),
            (rates.ended, itertools.repeat(self._present_ended)),
            (rates.ready, itertools.repeat(self._ask_ready)),
        ]
        await asyncio.gather(*(self._steadily(rate, call, stop) for rate, call in calls))
        await asyncio.gather(*self._under_way)
        for server in self._servers.values():
            server.close()

    async def missing(self) -> list[str]:
        """Return clients that are missing although their creation was acknowledged."""
        acknowledged = list(self.created)
        answer = await self._admin.call("GET", f"/clients?search=made-&max={len(acknowledged) + 1000}")
        there = {client["clientId"] for client in json.loads(answer.body)}
        return [name for name in acknowledged if name not in there]

    async def _steadily(
        self, rate: float, calls: Iterator[Callable[[], Awaitable[None]]], stop: asyncio.Event
    ) -> None:
        """Send requests without waiting for previous ones, up to a limit in progress."""
        under_way: set[asyncio.Task[None]] = set()
        while not await happens(stop, within=1 / rate):
            if len(under_way) < _UNDER_WAY:
                task = asyncio.create_task(self._quietly(next(calls)))
                for tasks in (under_way, self._under_way):
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)

    async def _quietly(self, call: Callable[[], Awaitable[None]]) -> None:
        with suppress(NoAnswerError):  # it is in the record
            await call()

    async def _ask_by_secret(self) -> None:
        headers, body = self._by_secret.current.request()
        answer = await self._servers[SECRET].ask(
            "POST", TOKEN_TARGET, headers=headers, body=body, timeout=_ASKED_SECONDS
        )
        if answer.status == 200:
            self._token = json.loads(answer.body)["access_token"]

    async def _ask_by_key(self) -> None:
        headers, body = self._by_key.current.request()
        await self._servers[KEY].ask("POST", TOKEN_TARGET, headers=headers, body=body, timeout=_ASKED_SECONDS)

    async def _introspect(self) -> None:
        if not self._token:
            return
        headers, _ = self._by_secret.current.request()
        answer = await self._servers[INTROSPECTION].ask(
            "POST",
            f"{TOKEN_TARGET}/introspect",
            headers=headers,
            body=urlencode({"token": self._token}).encode(),
            timeout=_ASKED_SECONDS,
        )
        if answer.status == 200 and not json.loads(answer.body)["active"]:
            self._record.violations.append("a token that nothing has ended was said to be inactive")

    async def _present_ended(self) -> None:
        if not self._ended:
            return
        self._ended.rotate(1)
        credential = self._ended[0]
        headers, body = credential.request()
        answer = await self._servers[ENDED].ask(
            "POST", TOKEN_TARGET, headers=headers, body=body, timeout=_ASKED_SECONDS
        )
        if answer.status == 200:
            self._record.violations.append(
                f"after its revocation was acknowledged: {credential.name} accepted"
            )

    async def _ask_ready(self) -> None:
        await self._servers[READY].ask("GET", "/health/ready", timeout=_ASKED_SECONDS)

    async def _end_one(self) -> None:
        client = next((each for each in self._changing if not each.busy and not each.exhausted), None)
        if client is None:
            return
        client.busy = True
        already = len(client.ended)
        try:
            answer = await client.end_one(self._admin)
        finally:
            client.busy = False
            self._changing.append(self._changing.pop(self._changing.index(client)))
        # Only what the caller was told to be safe counts against the fleet.
        if answer.headers.get("preference-applied") == "wait":
            self._ended.extendleft(client.ended[already:])

    async def _create(self) -> None:
        name = next(self._names)
        await self._admin.call("POST", "/clients", json.dumps({"clientId": name}).encode(), headers=_WAIT)
        self.created.append(name)
