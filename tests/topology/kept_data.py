"""Data that was there before an upgrade, and must be there after it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_client import Admin
from tests.testkit.http_client import NoAnswerError, Server
from tests.testkit.revocable_clients import TOKEN_TARGET, Credential, KeyClient, secret_credential
from tests.testkit.waiting import wait_until

_CLIENTS: Final = 20
_ROTATING: Final = 5
_SETTLED_SECONDS: Final = 60.0
_USED: Final = ("in_use", "retired", "done")
_WAITS_FOR_CLIENT: Final = ("delivery", "use")


@dataclass
class KeptData:
    """``credentials``: accepted before and after, by client. ``rotating``: uuids of clients whose rotation is
    in progress, with both secrets. ``before``: what the admin API showed, by path."""

    admin: Admin
    credentials: list[Credential]
    rotating: dict[str, Credential]
    before: dict[str, Any]

    @classmethod
    async def make(cls, admin: Admin, issuer: str) -> "KeptData":
        """Create clients with secrets and keys, with a description and attributes, some of them in a
        rotation; return when the rotations wait for their clients."""
        credentials: list[Credential] = []
        rotating: dict[str, Credential] = {}
        uuids = []
        await admin.call("POST", "/client-scopes", _body(name="orders.read", protocol="openid-connect"))
        for number in range(_CLIENTS):
            client_id = f"kept-{number}"
            attributes = {"keyturn.audiences": f"https://api-{number}.example.com"}
            kept: dict[str, Any] = {
                "clientId": client_id,
                "name": f"Client {number}",
                "description": "there before the upgrade",
                "serviceAccountsEnabled": True,
                "attributes": attributes,
            }
            if number % 2:
                key = SigningKey.generate()
                kept["clientAuthenticatorType"] = "client-jwt"
                attributes["use.jwks.string"] = "true"
                attributes["jwks.string"] = json.dumps({"keys": [key.public_jwk]})
                uuid = await admin.create_client(kept)
                credentials.append(KeyClient(uuid, client_id, issuer, [key]).current)
            else:
                uuid = await admin.create_client(kept)
                credentials.append(secret_credential(client_id, await _secret(admin, uuid)))
                if len(rotating) < _ROTATING:
                    start = _body(kind="secret", reason="manual")
                    await admin.call("POST", f"/clients/{uuid}/rotations", start)
                    rotating[uuid] = secret_credential(client_id, await _secret(admin, uuid))
            uuids.append(uuid)
        made = cls(admin, credentials, rotating, {})
        for uuid in rotating:
            await wait_until(partial(made._waits_for_client, uuid), timeout=_SETTLED_SECONDS, interval=0.2)
        made.before = {path: await made._shown(path) for path in _paths(uuids, list(rotating))}
        return made

    async def lost(self) -> list[str]:
        """Return what is not as it was. Later releases may show more members."""
        wrong = []
        for path, before in self.before.items():
            wrong += [f"{path or 'the realm'}: {each}" for each in missing(before, await self._shown(path))]
        return wrong

    async def refused(self, server: Server) -> list[str]:
        """Return credentials that are not accepted any more, and rotations that do not go on when their
        client uses its new secret."""
        wrong = []
        for credential in (*self.credentials, *self.rotating.values()):
            headers, body = credential.request()
            answer = await server.ask("POST", TOKEN_TARGET, headers=headers, body=body)
            if answer.status != 200:
                wrong.append(f"{credential.name}: {answer.status} {answer.body[:200]!r}")
        for uuid in self.rotating:
            try:
                await wait_until(partial(self._is_used, uuid), timeout=_SETTLED_SECONDS, interval=0.5)
            except AssertionError:
                wrong.append(f"the rotation of {uuid} does not go on: {await self._rotation(uuid)}")
        return wrong

    async def _shown(self, path: str) -> Any:
        for _ in range(20):
            try:
                return json.loads((await self.admin.call("GET", path)).body)
            except NoAnswerError:
                await asyncio.sleep(0.5)
        raise AssertionError(f"{path} cannot be read")

    async def _rotation(self, uuid: str) -> dict[str, Any]:
        [rotation] = await self._shown(f"/clients/{uuid}/rotations")
        return dict(rotation)

    async def _waits_for_client(self, uuid: str) -> bool:
        return (await self._rotation(uuid))["waits_for"] in _WAITS_FOR_CLIENT

    async def _is_used(self, uuid: str) -> bool:
        return (await self._rotation(uuid))["state"] in _USED


def _paths(uuids: list[str], rotating: list[str]) -> Iterator[str]:
    yield from ("", "/client-scopes")
    for uuid in uuids:
        yield from (f"/clients/{uuid}", f"/clients/{uuid}/client-secret")
    for uuid in rotating:
        yield from (f"/clients/{uuid}/rotations", f"/clients/{uuid}/client-secret/rotated")


def missing(before: Any, after: Any, at: str = "") -> list[str]:
    """Return where ``after`` differs, apart from members that only it has."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for name, value in before.items()
            for line in (
                missing(value, after[name], f"{at}.{name}") if name in after else [f"{at}.{name} is missing"]
            )
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for index, pair in pairs for line in missing(*pair, f"{at}[{index}]")]
    return [] if before == after else [f"{at} was {before!r} and is {after!r}"]


async def _secret(admin: Admin, uuid: str) -> str:
    answer = await admin.call("GET", f"/clients/{uuid}/client-secret")
    return str(json.loads(answer.body)["value"])


def _body(**members: str) -> bytes:
    return json.dumps(members).encode()
