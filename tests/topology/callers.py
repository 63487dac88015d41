"""Callers of every kind through nginx, each at a steady rate, whatever the answers."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from typing import Final
from urllib.parse import urlencode

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_client import ADMIN_ID, ADMIN_SECRET, REALM, Admin
from tests.testkit.http_client import Answer, NoAnswerError, Server
from tests.testkit.revocable_clients import (
    TOKEN_TARGET,
    Credential,
    KeyClient,
    SecretClient,
)
from tests.testkit.threaded_key_server import KeyServer
from tests.testkit.waiting import happens
from tests.topology.record import OK, JudgedServer, Record, Verdict, by_status

SECRET: Final = "token by secret"
KEY: Final = "token by key"
URL_KEY: Final = "token by key at a URL"
INTROSPECTION: Final = "introspection"
VERIFY: Final = "/verify"
ROTATION: Final = "rotation"
ROTATED: Final = "rotated secret"
ENDED: Final = "ended secret"
CONSOLE: Final = "console"
ADMIN_TOKEN: Final = "admin token"
ADMIN_READ: Final = "admin read"
PASSING: Final = "client that is created and deleted"
KINDS: Final = (
    *(SECRET, KEY, URL_KEY, INTROSPECTION, VERIFY, ROTATION, ROTATED, ENDED),
    *(CONSOLE, ADMIN_TOKEN, ADMIN_READ, PASSING),
)

_ROTATING: Final = 6
_ENDED_KEPT: Final = 200
_LEAST_UNDER_WAY: Final = 20
_UNDER_WAY_SECONDS: Final = 3.0
_ANSWER_SECONDS: Final = 30.0
_WAIT_SECONDS: Final = 20
_SIGNED_AGAIN_SECONDS: Final = 30.0
_SIGNED_AGAIN_PAUSE: Final = 0.5
_SESSION_READS: Final = 40
_JSON: Final = {"Content-Type": "application/json"}
_ASSERTION_REFUSED: Final = "401, accepted when signed anew"


@dataclass(frozen=True)
class Rates:
    """Requests a second; of rotations, console reads and passing clients, calls, each with a few requests. 0
    for none."""

    secrets: float = 6.0
    keys: float = 3.0
    url_keys: float = 2.0
    introspections: float = 4.0
    verifications: float = 4.0
    rotations: float = 1.5
    ended: float = 5.0
    console: float = 1.5
    admin_reads: float = 1.0
    passing: float = 0.0

    def times(self, factor: float) -> "Rates":
        """Return all of them, multiplied."""
        return Rates(*(rate * factor for rate in astuple(self)))


class Callers:
    """``admin``: for calls that are no part of the load, and not recorded as such."""

    def __init__(self, base_url: str, record: Record, keys: KeyServer) -> None:
        self._base_url, self._record, self._keys = base_url, record, keys
        self._servers = {kind: JudgedServer(base_url, kind, record) for kind in KINDS}
        servers = self._servers
        admin_tokens: list[Server] = [servers[ADMIN_TOKEN]]
        self._rotations = Admin(servers[ROTATION], admin_tokens, wait_seconds=_WAIT_SECONDS)
        self._reads = Admin(servers[ADMIN_READ], admin_tokens)
        self._passing = Admin(servers[PASSING], admin_tokens, wait_seconds=_WAIT_SECONDS)
        self._passed = 0
        self._rotating: deque[SecretClient] = deque()
        self._ended: deque[Credential] = deque(maxlen=_ENDED_KEPT)
        self._under_way: set[asyncio.Task[None]] = set()
        self._token = ""
        self._session, self._session_reads = "", 0
        self.rotated = 0
        """Number of rotations that were acknowledged as in force everywhere."""
        self.left_out = 0
        """Number of calls that were left out because too many of their kind were under way."""

    @property
    def admin(self) -> Admin:
        return self._reads

    @property
    def known_secrets(self) -> dict[str, str]:
        """Return the secret of each client by its uuid, as its callers know it."""
        return {client.uuid: client.secret for client in (self._by_secret, *self._rotating)}

    async def register(self) -> None:
        """Create the realm and the clients."""
        audience = f"{self._base_url}/realms/{REALM}"
        await self._reads.create_realm()
        self._by_secret = await SecretClient.register(self._reads, "steady")
        self._by_key = await KeyClient.register(self._reads, "signer", audience, 1)
        self._by_url = await self.register_url_client("published", audience, "/keys")
        for number in range(_ROTATING):
            self._rotating.append(await SecretClient.register(self._reads, f"rotating-{number}"))

    async def register_url_client(self, client_id: str, audience: str, path: str) -> KeyClient:
        """Create a client whose key is at this path of the server of keys."""
        key = SigningKey.generate()
        url = self._keys.serve(path, key.public_jwk)
        representation = {
            "clientId": client_id,
            "serviceAccountsEnabled": True,
            "clientAuthenticatorType": "client-jwt",
            "attributes": {"use.jwks.url": "true", "jwks.url": url},
        }
        return KeyClient(await self._reads.create_client(representation), client_id, audience, [key])

    async def run(self, rates: Rates, stop: asyncio.Event) -> None:
        calls = [
            (rates.secrets, self._ask_by_secret),
            (rates.keys, lambda: self._ask_by_key(KEY, self._by_key)),
            (rates.url_keys, lambda: self._ask_by_key(URL_KEY, self._by_url)),
            (rates.introspections, self._introspect),
            (rates.verifications, self._verify),
            (rates.rotations, self._rotate),
            (rates.ended, self._present_ended),
            (rates.console, self._read_in_console),
            (rates.admin_reads, self._read_as_admin),
            (rates.passing, self._create_and_delete),
        ]
        await asyncio.gather(*(self._steadily(rate, call, stop) for rate, call in calls if rate))
        await asyncio.gather(*self._under_way)
        for server in self._servers.values():
            server.close()

    async def _steadily(self, rate: float, call: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        """Call at the times of the rate without waiting for previous calls, up to a limit in progress."""
        under_way: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        due, most = loop.time() + 1 / rate, max(_LEAST_UNDER_WAY, _UNDER_WAY_SECONDS * rate)
        while not await happens(stop, within=max(0.0, due - loop.time())):
            due += 1 / rate
            if len(under_way) >= most:
                self.left_out += 1
            else:
                task = asyncio.create_task(self._quietly(call))
                for tasks in (under_way, self._under_way):
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)

    async def _quietly(self, call: Callable[[], Awaitable[None]]) -> None:
        with suppress(NoAnswerError):  # it is in the record
            await call()

    async def _present(
        self, kind: str, credential: Credential, judge: Callable[[Answer], Verdict] = by_status
    ) -> Answer:
        headers, body = credential.request()
        server = self._servers[kind]
        note = server.noting(judge)
        return await server.ask(
            "POST", TOKEN_TARGET, headers=headers, body=body, timeout=_ANSWER_SECONDS, note=note
        )

    async def _ask_by_secret(self) -> None:
        answer = await self._present(SECRET, self._by_secret.current)
        if answer.status == 200:
            self._token = json.loads(answer.body)["access_token"]

    async def _ask_by_key(self, kind: str, client: KeyClient) -> None:
        """Request a token; after a refusal, sign again until it is accepted, where that is allowed."""

        def judge(answer: Answer) -> Verdict:
            if answer.status == 401 and not self._record.strict:
                return Verdict(failure=_ASSERTION_REFUSED)
            return by_status(answer)

        over = asyncio.get_running_loop().time() + _SIGNED_AGAIN_SECONDS
        while (await self._present(kind, client.current, judge)).status == 401 and not self._record.strict:
            if asyncio.get_running_loop().time() > over:
                self._record.note(kind, f"a valid key was refused for {_SIGNED_AGAIN_SECONDS:g} s")
                return
            await asyncio.sleep(_SIGNED_AGAIN_PAUSE)

    async def _introspect(self) -> None:
        if not self._token:
            return

        def judge(answer: Answer) -> Verdict:
            if answer.status == 200 and not json.loads(answer.body)["active"]:
                return Verdict(wrong="a token that nothing has ended was said to be inactive")
            return by_status(answer)

        headers, _ = self._by_secret.current.request()
        server = self._servers[INTROSPECTION]
        await server.ask(
            "POST",
            f"{TOKEN_TARGET}/introspect",
            headers=headers,
            body=urlencode({"token": self._token}).encode(),
            timeout=_ANSWER_SECONDS,
            note=server.noting(judge),
        )

    async def _verify(self) -> None:
        if not self._token:
            return

        def judge(answer: Answer) -> Verdict:
            if answer.status != 200:
                return by_status(answer)
            valid, nonsense = json.loads(answer.body)["results"]
            if nonsense["active"]:
                return Verdict(wrong="what is no token was accepted")
            if valid["active"]:
                return OK
            if valid["error"] in ("keys_unavailable", "fenced"):
                return Verdict(failure=valid["error"])
            return Verdict(wrong=f"a token that nothing has ended was refused: {valid}")

        headers, _ = self._by_secret.current.request()
        body = json.dumps({"tokens": [self._token, f"{self._token[:-8]}AAAAAAAA"]}).encode()
        server = self._servers[VERIFY]
        await server.ask(
            "POST",
            f"/realms/{REALM}/verify",
            headers={**headers, **_JSON},
            body=body,
            timeout=_ANSWER_SECONDS,
            note=server.noting(judge),
        )

    async def _rotate(self) -> None:
        """Regenerate a secret, and present both at once where the call has said that it is in force."""
        client = next((each for each in self._rotating if not each.busy), None)
        if client is None:
            return
        client.busy = True
        self._rotating.remove(client)
        self._rotating.append(client)
        try:
            already = len(client.ended)
            answer = await client.end_one(self._rotations)
            if _is_in_force(answer):
                self.rotated += 1
                self._ended.extend(client.ended[already:])
                await asyncio.gather(
                    self._present(ROTATED, client.current),
                    *(self._present(ENDED, each, judge_ended) for each in client.ended[already:]),
                )
        except NoAnswerError:
            await self._read_secret(client)
        finally:
            client.busy = False

    async def _read_secret(self, client: SecretClient) -> None:
        """Read the secret of a client after a call without an answer, which may have changed it."""
        for _ in range(60):
            with suppress(NoAnswerError):
                answer = await self._reads.call("GET", f"/clients/{client.uuid}/client-secret")
                client.secret = json.loads(answer.body)["value"]
                return
            await asyncio.sleep(0.5)

    async def _present_ended(self) -> None:
        if self._ended:
            self._ended.rotate(1)
            await self._present(ENDED, self._ended[0], judge_ended)

    async def _read_in_console(self) -> None:
        """Read as the console does; sign in first, and again after some reads."""
        server = self._servers[CONSOLE]
        if self._session_reads == 0:
            body = {"realm": "master", "client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}
            answer = await server.ask(
                "POST", "/console/session", headers=_JSON, body=json.dumps(body).encode()
            )
            if answer.status != 200:
                return
            self._session = answer.headers["set-cookie"].partition(";")[0]
            self._session_reads = _SESSION_READS
        self._session_reads -= 1
        cookie = {"Cookie": self._session}

        def judge(answer: Answer) -> Verdict:
            if answer.status == 204:
                return Verdict(wrong="a session that nothing has ended was said to be none")
            return by_status(answer)

        note = server.noting(judge)
        await server.ask("GET", "/console/session", headers=cookie, timeout=_ANSWER_SECONDS, note=note)
        clients = f"/admin/realms/{REALM}/clients?max=5"
        await server.ask("GET", clients, headers=cookie, timeout=_ANSWER_SECONDS)

    async def _read_as_admin(self) -> None:
        await self._reads.call("GET", f"/clients/{self._by_secret.uuid}")

    async def _create_and_delete(self) -> None:
        """Create a client, regenerate its secret and use it, delete it, and present the secret once more."""
        self._passed += 1
        client = await SecretClient.register(self._passing, f"passing-{self._passed}")
        if _is_in_force(await client.end_one(self._passing)):
            await self._present(SECRET, client.current)
        if _is_in_force(await self._passing.change("DELETE", f"/clients/{client.uuid}")):
            await self._present(ENDED, client.current, judge_ended)


def _is_in_force(answer: Answer) -> bool:
    """Return whether every node had applied the change, or could no longer answer, before the answer."""
    return answer.headers.get("preference-applied") == "wait"


def judge_ended(answer: Answer) -> Verdict:
    """Judge an answer to a secret that a call has acknowledged as ended everywhere."""
    if answer.status == 401:
        return OK
    if answer.status == 200:
        return Verdict(wrong="a secret was accepted after the call that ended it had returned")
    return Verdict(failure=str(answer.status))
