"""Callers that write, each to its own clients, and remember what was acknowledged."""

import asyncio
import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from keyturn_shared.clock import SystemClock
from tests.testkit.admin_api import ADMIN_ID
from tests.testkit.admin_tokens import AdminTokens
from tests.testkit.credentials_instances import Instance, Surroundings
from tests.testkit.single_request import Answer, NoAnswerError, send

REALM = "master"
MARK = "mark"
_TOKEN_SECONDS = 3600
_CALL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An acknowledged change. ``value``: the resulting mark or secret."""

    sequence: int
    type: str
    client_uuid: str
    value: str | None = None


@dataclass
class Written:
    """One writer's knowledge of one of its clients. ``unsettled``: unanswered changes by type and value,
    since the last answered one of their type; each was committed or not."""

    client_id: str
    uuid: str
    changes: list[Acknowledged] = field(default_factory=list)
    unsettled: list[tuple[str, str | None]] = field(default_factory=list)
    unanswered: int = 0
    deleted: bool = False

    def begin(self, event: str, value: str | None) -> None:
        """Note a change: nothing is certain once it is sent."""
        self.unsettled.append((event, value))
        self.unanswered += 1
        self.deleted = event == "client_deleted"

    def withdraw(self) -> None:
        """Undo ``begin``: the change was not sent."""
        self.unsettled.pop()
        self.unanswered -= 1
        self.deleted = False

    def acknowledge(self, change: Acknowledged) -> None:
        self.changes.append(change)
        self.unsettled = [each for each in self.unsettled if each[0] != change.type]
        self.unanswered -= change.type != "client_created"


class NotSentError(NoAnswerError):
    """The connection was refused, so the change did not happen."""


class Admin:
    """Calls of the admin API at a given instance."""

    def __init__(self, surroundings: Surroundings, realm: str = REALM) -> None:
        self._realm = realm
        self._tokens = AdminTokens(surroundings.settings, SystemClock())
        self._token = ""

    async def log_in(self) -> None:
        until = int(SystemClock().now()) + _TOKEN_SECONDS
        self._token = await self._tokens.issue("master", ADMIN_ID, exp=until)

    async def make_realm(self, instance: Instance) -> None:
        """Create the realm. It is not ``master``, because nodes check no clients of that one."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        body = json.dumps({"realm": self._realm}).encode()
        answer = await send("POST", f"{instance.url}/admin/realms", headers=headers, body=body)
        assert answer.status == 201, answer

    async def call(
        self, instance: Instance, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Answer:
        """Raises NoAnswerError when nothing, or nothing certain, was answered; NotSentError when the
        connection was refused."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        url = f"{instance.url}/admin/realms/{self._realm}/clients{path}"
        try:
            answer = await send(method, url, headers=headers, body=sent, timeout=_CALL_SECONDS)
        except NoAnswerError as error:
            if isinstance(error.__cause__, ConnectionRefusedError):
                raise NotSentError(str(error)) from error
            raise
        if answer.status >= 500:
            raise NoAnswerError(f"{method} {path}: {answer.status}")
        return answer


class Writer:
    """Makes consecutive changes until told to end, each at a random instance."""

    def __init__(self, number: int, admin: Admin, instances: Sequence[Instance], seed: int) -> None:
        self.written: list[Written] = []
        self.unsettled_creations = 0
        self.refused: list[str] = []
        self._name = f"writer-{number}"
        self._admin = admin
        self._instances = instances
        self._random = random.Random(f"{seed}:{number}")
        self._numbers = itertools.count()

    async def run(self, over: asyncio.Event, *, pause: float = 0.0) -> None:
        while not over.is_set():
            await asyncio.sleep(pause)
            living = [each for each in self.written if not each.deleted]
            kinds = {"create": 2, "update": 10 if living else 0, "regenerate": 6 if living else 0}
            kinds["delete"] = 1 if len(living) > 3 else 0
            kind = self._random.choices(list(kinds), list(kinds.values()))[0]
            try:
                if kind == "create":
                    await self._create()
                else:
                    await self._change(kind, self._random.choice(living))
            except NoAnswerError:
                await asyncio.sleep(self._random.uniform(0.02, 0.2))

    async def _create(self) -> None:
        client_id = f"{self._name}-{next(self._numbers)}"
        self.unsettled_creations += 1
        try:
            answer = await self._call("POST", "", {"clientId": client_id})
        except NotSentError:
            self.unsettled_creations -= 1
            raise
        self.unsettled_creations -= 1
        if answer is not None:
            uuid = answer.headers["location"].rpartition("/")[2]
            client = Written(client_id, uuid)
            client.acknowledge(Acknowledged(_sequence(answer), "client_created", uuid))
            self.written.append(client)

    async def _change(self, kind: str, client: Written) -> None:
        mark = f"{self._name}-{next(self._numbers)}"
        method, path, body, event = {
            "update": ("PUT", "", {"attributes": {MARK: mark}}, "client_updated"),
            "regenerate": ("POST", "/client-secret", None, "client_secret_rotated"),
            "delete": ("DELETE", "", None, "client_deleted"),
        }[kind]
        client.begin(event, mark if kind == "update" else None)
        try:
            answer = await self._call(method, f"/{client.uuid}{path}", body)
        except NotSentError:
            client.withdraw()
            raise
        if answer is not None:
            value = json.loads(answer.body)["value"] if kind == "regenerate" else mark
            client.acknowledge(Acknowledged(_sequence(answer), event, client.uuid, value))

    async def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Answer | None:
        answer = await self._admin.call(self._random.choice(self._instances), method, path, body)
        if answer.status < 400:
            return answer
        self.refused.append(f"{method} {path}: {answer.status} {answer.body[:200]!r}")
        return None


def _sequence(answer: Answer) -> int:
    return int(answer.headers["keyturn-sequence"])
