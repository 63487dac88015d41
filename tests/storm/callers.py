"""Callers in a storm: they regenerate secrets, wait for the fleet, and probe every node with the old one."""

import asyncio
import base64
import itertools
import json
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from tests.storm.fleet import ADMIN_ID, ADMIN_SECRET, StormFleet
from tests.storm.http import Answer, NoAnswerError, send

REALM = "master"
_WAIT_SECONDS = 20
_PROBE_SECONDS = 25.0


@dataclass
class Tally:
    """What a storm saw. ``violations``: every former secret that was accepted after a successful wait."""

    changes: int = 0
    not_acknowledged: int = 0
    waits_safe: int = 0
    waits_pending: int = 0
    probes: int = 0
    refused: int = 0
    fenced: int = 0
    silent: int = 0
    wait_seconds: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


@dataclass
class StormClient:
    """A client whose secret the storm rotates; ``uncertain`` while an answer about it was lost."""

    uuid: str
    client_id: str
    secret: str
    busy: bool = False


class Callers:
    """Sends changes at a steady rate and remembers what every node answered."""

    def __init__(self, fleet: StormFleet) -> None:
        self.tally = Tally()
        self._fleet = fleet
        self._clients: list[StormClient] = []
        self._probes: set[asyncio.Task[None]] = set()
        self._changes: set[asyncio.Task[None]] = set()
        self._token = ""
        self._token_until = 0.0

    async def prepare(self, clients: int) -> None:
        for number in range(clients):
            body = json.dumps({"clientId": f"storm-{number}", "serviceAccountsEnabled": True}).encode()
            created = await self._admin("POST", f"/admin/realms/{REALM}/clients", body)
            uuid = created.headers["location"].rsplit("/", 1)[1]
            secret = await self._admin("GET", f"/admin/realms/{REALM}/clients/{uuid}/client-secret")
            self._clients.append(StormClient(uuid, f"storm-{number}", json.loads(secret.body)["value"]))

    async def run(self, *, rate: float, seconds: float) -> None:
        """Start ``rate`` changes a second for that long; a client is changed by one caller at a time."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        turn = itertools.cycle(self._clients)
        for number in itertools.count():
            due = begun + number / rate
            if due - begun >= seconds:
                break
            await asyncio.sleep(max(0.0, due - loop.time()))
            client = next(
                (each for each in itertools.islice(turn, len(self._clients)) if not each.busy), None
            )
            if client is not None:
                client.busy = True
                self._changes.add(asyncio.create_task(self._change(client)))

    async def finish(self) -> None:
        """Wait for everything that was begun; every change and probe has a time limit of its own."""
        await asyncio.gather(*self._changes)
        await asyncio.gather(*self._probes)

    async def compare(self) -> list[str]:
        """Ask every node about every client: the database's secret is accepted, so all of them agree."""
        wrong: list[str] = []
        for client in self._clients:
            stored = await self._admin(
                "GET", f"/admin/realms/{REALM}/clients/{client.uuid}/client-secret", attempts=20
            )
            secret = json.loads(stored.body)["value"]
            for url in self._fleet.node_urls:
                answer = await self._token_request(url, client.client_id, secret)
                if answer.status != 200:
                    wrong.append(f"{url} refuses the secret of {client.client_id} with {answer.status}")
        return wrong

    async def _change(self, client: StormClient) -> None:
        former = client.secret
        self.tally.changes += 1
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            answer = await self._admin(
                "POST", f"/admin/realms/{REALM}/clients/{client.uuid}/client-secret", wait=_WAIT_SECONDS
            )
        except NoAnswerError:
            # Committed or not is unknown; ask again before this client is used any more.
            self.tally.not_acknowledged += 1
            await self._settle(client)
            return
        client.secret = json.loads(answer.body)["value"]
        safe = answer.headers.get("preference-applied") == "wait"
        fleet = answer.headers.get("keyturn-fleet", "")
        if safe:
            self.tally.waits_safe += 1
            self.tally.wait_seconds.append(loop.time() - begun)
            for url in self._fleet.node_urls:
                task = asyncio.create_task(self._probe(url, client.client_id, former, fleet))
                self._probes.add(task)
                task.add_done_callback(self._probes.discard)
        else:
            self.tally.waits_pending += 1
        client.busy = False

    async def _settle(self, client: StormClient) -> None:
        path = f"/admin/realms/{REALM}/clients/{client.uuid}/client-secret"
        try:
            client.secret = json.loads((await self._admin("GET", path, attempts=20)).body)["value"]
        except NoAnswerError:
            return
        client.busy = False

    async def _probe(self, url: str, client_id: str, former: str, fleet: str) -> None:
        self.tally.probes += 1
        try:
            answer = await self._token_request(url, client_id, former)
        except NoAnswerError:
            self.tally.silent += 1
            return
        if answer.status == 200:
            self.tally.violations.append(f"{url} accepted the former secret of {client_id} after [{fleet}]")
        elif answer.status == 503:
            self.tally.fenced += 1
        else:
            self.tally.refused += 1

    async def _token_request(self, url: str, client_id: str, secret: str) -> Answer:
        credentials = base64.b64encode(f"{quote(client_id, '')}:{quote(secret, '')}".encode()).decode()
        return await send(
            "POST",
            f"{url}/realms/{REALM}/protocol/openid-connect/token",
            headers={
                "Authorization": f"Basic {credentials}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=urlencode({"grant_type": "client_credentials"}).encode(),
            timeout=_PROBE_SECONDS,
        )

    async def _admin(
        self, method: str, path: str, body: bytes = b"", *, wait: int | None = None, attempts: int = 3
    ) -> Answer:
        for attempt in range(attempts):
            try:
                headers = {"Authorization": f"Bearer {await self._access_token()}"}
                if body:
                    headers["Content-Type"] = "application/json"
                if wait is not None:
                    headers["Prefer"] = f"wait={wait}"
                answer = await send(
                    method, self._fleet.base_url + path, headers=headers, body=body, timeout=40
                )
            except NoAnswerError:
                if method != "GET" or attempt == attempts - 1:
                    raise
                await asyncio.sleep(0.5)
                continue
            if answer.status < 400:
                return answer
            if answer.status == 401:
                self._token_until = 0.0
            await asyncio.sleep(0.5)
        raise NoAnswerError(f"{method} {path} kept failing")

    async def _access_token(self) -> str:
        loop = asyncio.get_running_loop()
        if loop.time() < self._token_until:
            return self._token
        for _ in range(40):
            for url in self._fleet.node_urls:
                try:
                    answer = await asyncio.wait_for(self._token_request(url, ADMIN_ID, ADMIN_SECRET), 2)
                except (NoAnswerError, TimeoutError):
                    continue
                if answer.status == 200:
                    granted = json.loads(answer.body)
                    self._token = granted["access_token"]
                    self._token_until = loop.time() + granted["expires_in"] / 2
                    return self._token
            await asyncio.sleep(0.5)
        raise NoAnswerError("no node gives an admin token")
