"""One run from start to verdict: PostgreSQL, two instances of the service, nodes, Redis, and clients."""

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from keyturn import ClientKeys
from keyturn.stack.parent import ending_with_parent
from tests.rotation_kills.judging import (
    endings,
    judge_answers,
    judge_events,
    judge_rotations,
    let_in_since,
    size_of,
)
from tests.rotation_kills.workers import Config, credential_of
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL
from tests.testkit.credentials_instances import READY_SECONDS, Instance, Surroundings
from tests.testkit.ending import kill_process
from tests.testkit.single_request import until_ready
from tests.testkit.waiting import happens, wait_until

REALM: Final = "killed"
_SETTLE_SECONDS: Final = 180.0
TOKENS_A_SECOND: Final = 100
"""Of all clients, unless asked otherwise: with more, each asks less often."""
_CLIENTS_A_PROCESS: Final = 100
"""With many more, a process that waits for its disk is what its clients wait for."""
_KINDS: Final = ("instance", "node", "redis", "clients")


def _policy(overlap: int) -> dict[str, str]:
    """Return attributes by which a rotation begins a period after the one before, less a jitter. The overlap
    has to be longer than a request may take: a client whose proof is answered too late to be heard signs with
    its former credential until then."""
    period = max(12, 2 * overlap)
    return {
        "keyturn.secret.expiration-period": str(10 * period),
        "keyturn.secret.remaining-rotation-period": str(9 * period),
        "keyturn.secret.rotated-expiration-period": str(overlap),
        "keyturn.key.rotation-period": str(period),
        "keyturn.key.overlap": str(overlap),
        "keyturn.rotation.jitter": "5",
    }


@dataclass(frozen=True)
class Verdict:
    """``done``: ended rotations, by kind. ``answers``: token requests by outcome. ``wrong``: everything that
    contradicts the guarantee."""

    kills: Counter[str]
    done: Counter[str]
    answers: Counter[str]
    wrong: list[str]


@dataclass
class Workers:
    """A process of clients. ``log``: what it writes on standard error."""

    config: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as written:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.rotation_kills.workers", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                preexec_fn=ending_with_parent(signal.SIGKILL),
            )

    def kill(self) -> None:
        if self.process is not None:
            kill_process(self.process)


class Admin:
    """The admin API of whichever instance answers."""

    def __init__(self, http: httpx.AsyncClient, instances: list[Instance]) -> None:
        self._http = http
        self._instances = instances
        self._token = ""

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call ``/admin/realms{path}`` until an instance answers; only for calls that may be repeated."""

        async def answered() -> httpx.Response | None:
            for instance in self._instances:
                try:
                    headers = {"Authorization": f"Bearer {self._token or await self._log_in(instance)}"}
                    url = f"{instance.url}/admin/realms{path}"
                    answer = await self._http.request(method, url, headers=headers, **options)
                except (httpx.HTTPError, KeyError, ValueError):
                    continue
                if answer.status_code == 401:
                    self._token = ""
                elif answer.status_code < 500:
                    return answer
            return None

        return await wait_until(answered, timeout=_SETTLE_SECONDS, interval=0.5)

    async def _log_in(self, instance: Instance) -> str:
        answer = await self._http.post(
            f"{instance.url}/realms/master/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=(ADMIN_ID, ADMIN_SECRET),
        )
        self._token = answer.json()["access_token"]
        return self._token

    async def set_policy(self, policy: dict[str, str]) -> None:
        changed = await self.call("PUT", f"/{REALM}", json={"attributes": policy})
        assert changed.status_code == 204, changed.text


async def run(
    directory: Path,
    *,
    clients: int,
    nodes: int,
    seconds: float,
    pause: float,
    overlap: int,
    seed: int,
    rate: float = TOKENS_A_SECOND,
) -> Verdict:
    """Rotate, kill, recover, judge. ``clients``: half of them have a secret, half a key. ``pause``: mean
    seconds between two kills; 0: nothing is killed. ``overlap``: seconds for which both credentials are
    valid. ``rate``: requests a second for tokens, of all clients."""
    surroundings = Surroundings(directory, "postgresql", 2)
    workers: list[Workers] = []
    try:
        await surroundings.start()
        verifiers = [await surroundings.make_node(f"node-{number}") for number in range(nodes)]
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            admin = Admin(http, surroundings.instances)
            configs = await _make_clients(admin, surroundings, verifiers, directory, clients, rate)
            await admin.set_policy(_policy(overlap))
            workers = _make_workers(directory, configs)
            for each in workers:
                each.start()
            kills = Counter[str]()
            if pause:
                kills = await _kill(surroundings, verifiers, workers, seconds, pause, random.Random(seed))
            else:
                await asyncio.sleep(seconds)
            await _until_all_have_rotated(admin)
            wrong = await _settle(directory / "answers", clients)
            for each in workers:
                each.kill()
            return await _judge(admin, directory, kills, wrong, overlap)
    finally:
        for each in workers:
            each.kill()
        surroundings.close()


async def _make_clients(
    admin: Admin,
    surroundings: Surroundings,
    verifiers: list[Instance],
    directory: Path,
    clients: int,
    rate: float,
) -> list[Config]:
    """Make the clients and give each to one of the processes, as many secrets as keys to each process."""
    await admin.call("POST", "", json={"realm": REALM})
    state = directory / "state"
    state.mkdir()
    configs = [
        Config(
            f"{BASE_URL}/realms/{REALM}",
            [each.url for each in surroundings.instances],
            [each.url for each in verifiers],
            {},
            str(state),
            str(directory / "answers"),
            max(1.0, clients / rate),
        )
        for _ in range(max(2, clients // _CLIENTS_A_PROCESS))
    ]
    for number in range(clients):
        client_id = f"client-{number:03d}"
        secret = "" if number % 2 else f"the first secret of {client_id}, which is long enough"
        credential = credential_of(client_id, secret, state)
        body: dict[str, Any] = {"clientId": client_id, "serviceAccountsEnabled": True, "secret": secret}
        if isinstance(credential, ClientKeys):
            keys = {"use.jwks.string": "true", "jwks.string": json.dumps(credential.jwks)}
            del body["secret"]
            body |= {"clientAuthenticatorType": "client-jwt", "attributes": keys}
        created = await admin.call("POST", f"/{REALM}/clients", json=body)
        assert created.status_code == 201, created.text
        configs[number // 2 % len(configs)].secrets[client_id] = secret
    return configs


def _make_workers(directory: Path, configs: list[Config]) -> list[Workers]:
    workers = []
    for number, config in enumerate(configs):
        path = directory / f"workers-{number}.json"
        path.write_bytes(msgspec.json.encode(config))
        workers.append(Workers(path, directory / f"workers-{number}.log"))
    return workers


async def _kill(
    surroundings: Surroundings,
    verifiers: list[Instance],
    workers: list[Workers],
    seconds: float,
    pause: float,
    draw: random.Random,
) -> Counter[str]:
    """Kill one process after the other, as ``kill -9`` does, and start it again: first one of each kind."""
    counts: Counter[str] = Counter()
    first = draw.sample(_KINDS, len(_KINDS))
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    while not await happens(over, within=pause * draw.uniform(0.5, 1.5)) or first:
        kind = first.pop() if first else draw.choice([*_KINDS, "instance"])
        counts[kind] += 1
        down = draw.uniform(0.0, 1.5)
        if kind == "redis":
            surroundings.redis.kill()
            await asyncio.sleep(down)
            await asyncio.to_thread(surroundings.redis.start)
        elif kind == "clients":
            one = draw.choice(workers)
            one.kill()
            await asyncio.sleep(down)
            one.start()
        else:
            process = draw.choice(surroundings.instances if kind == "instance" else verifiers)
            process.kill()
            await asyncio.sleep(down)
            process.start()
            await until_ready(process.url, seconds=READY_SECONDS)
    return counts


async def _rotations(admin: Admin) -> dict[str, list[dict[str, Any]]]:
    """Return the rotations of each client of a process, oldest first."""
    clients: list[dict[str, Any]] = []
    while page := (
        await admin.call("GET", f"/{REALM}/clients", params={"first": len(clients), "max": 1000})
    ).json():
        clients += page
    found = {}
    for client in clients:
        if client["clientId"].startswith("client-"):
            path = f"/{REALM}/clients/{client['id']}/rotations"
            rotations = (await admin.call("GET", path, params={"max": 1000})).json()
            found[client["clientId"]] = sorted(rotations, key=lambda each: float(each["created_at"]))
    return found


async def _until_all_have_rotated(admin: Admin) -> None:
    """Wait until each client has been through a rotation, also on a busy machine. Raises AssertionError."""

    async def have_rotated() -> bool:
        found = await _rotations(admin)
        return all(any(each["state"] == "done" for each in rotations) for rotations in found.values())

    await wait_until(have_rotated, timeout=2 * _SETTLE_SECONDS, interval=1.0)


async def _settle(answers: Path, clients: int) -> list[str]:
    """Wait until every client gets a token after the last kill. Return which do not."""
    since = size_of(answers)
    known = {f"client-{number:03d}" for number in range(clients)}

    def all_are_let_in() -> bool:
        return let_in_since(answers, since) == known

    try:
        await wait_until(all_are_let_in, timeout=_SETTLE_SECONDS, interval=0.5)
    except AssertionError:
        locked_out = known - let_in_since(answers, since)
        return [f"{client_id} is locked out" for client_id in sorted(locked_out)]
    return []


async def _judge(
    admin: Admin, directory: Path, kills: Counter[str], wrong: list[str], overlap: int
) -> Verdict:
    done: Counter[str] = Counter()
    everything: list[dict[str, Any]] = []
    ends = {}
    for client_id, rotations in (await _rotations(admin)).items():
        wrong += judge_rotations(rotations)
        done.update(each["kind"] for each in rotations if each["state"] == "done")
        everything += rotations
        ends[client_id] = endings(rotations, overlap - 1)
    answers, refused = judge_answers(directory / "answers", ends)
    return Verdict(kills, done, answers, [*wrong, *refused, *judge_events(everything)])
