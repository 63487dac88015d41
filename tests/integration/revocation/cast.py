"""All subjects of one circumstance, created and shown to be granted what they request."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from tests.integration.revocation.cells import Cell
from tests.integration.revocation.deployment import Deployment, Server
from tests.integration.revocation.places import PLACES
from tests.integration.revocation.probes import ASKER, ASKERS_SECRET, Outcome, probe, servers_for
from tests.integration.revocation.streams import OpenStream
from tests.integration.revocation.subjects import Subject, public_jwk
from tests.testkit.jwks_server import Page
from tests.testkit.nodes import basic
from tests.testkit.waiting import wait_until

AT_ONCE: Final = 24
SECONDS: Final = 120.0
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Cast:
    """``kept``: one of each place that nothing is ended for. ``units``: what one call ends."""

    deployment: Deployment
    kept: list[Subject]
    units: list[list[Subject]]
    streams: list[OpenStream] = field(default_factory=list)

    @property
    def ending(self) -> list[Subject]:
        return [subject for unit in self.units for subject in unit]

    async def prove(self) -> None:
        """Check that all subjects are granted everything, everywhere, which also warms every cache."""
        await self.until_granted([*self.kept, *self.ending])

    async def until_granted(self, subjects: list[Subject]) -> None:
        await at_once(
            self._until_granted, [(server, each) for each in subjects for server in self.servers(each)]
        )

    async def open_streams(self) -> None:
        asked = [each for each in self.ending if each.place.key.endswith("stream")]
        self.streams = [OpenStream(self.deployment.credentials, each) for each in asked]
        for stream in self.streams:
            await stream.begun()

    async def leave(self) -> None:
        """Close the streams, and let the resource servers leave the realms: each reads the whole log."""
        for stream in self.streams:
            await stream.leave()
        for library in self.deployment.libraries:
            for realm in sorted({each.realm for each in [*self.kept, *self.ending]}):
                left = await library.http.delete(f"/realms/{realm}")
                assert left.status_code == 204, left.text

    async def mark(self) -> int:
        """Return the sequence of a change after all others."""
        asker = {"clientId": "marker", "serviceAccountsEnabled": True}
        answer = await self.deployment.call("POST", f"/{self.kept[0].realm}/clients", json=asker)
        return int(answer.headers["keyturn-sequence"])

    def servers(self, subject: Subject) -> list[Server]:
        return servers_for(self.deployment, subject.place)

    async def _until_granted(self, asked: tuple[Server, Subject]) -> None:
        server, subject = asked

        async def granted() -> bool:
            outcome, words = await probe(self.deployment, server, subject)
            seen.append(words)
            return outcome is Outcome.GRANTED

        seen: list[str] = []
        try:
            await wait_until(granted, timeout=SECONDS, interval=0.2)
        except AssertionError:
            raise AssertionError(f"never granted: {subject.cell}; last {seen[-1]}") from None


async def make_cast(deployment: Deployment, name: str, cells: Iterable[Cell]) -> Cast:
    """Create realm ``name`` for changes of one client, and one realm for each way to end a whole realm. Each
    cell gets a client."""

    def subject(way: Any, place: Any) -> Subject:
        realm = f"{name}-{way.key}" if way is not None and way.of_realm else name
        return Subject.make(way, place, realm, deployment.public_url, deployment.authority)

    kept = [subject(None, place) for place in PLACES]
    units: dict[str, list[Subject]] = {}
    for way, place in cells:
        made = subject(way, place)
        units.setdefault(made.realm if way.of_realm else made.client_id, []).append(made)
    cast = Cast(deployment, kept, list(units.values()))
    everybody = [*kept, *cast.ending]
    realms: dict[str, list[Subject]] = {}
    for each in everybody:
        realms.setdefault(each.realm, []).append(each)
        deployment.jwks.pages[each.key_set_path] = Page([public_jwk(each.certificate)])
    await at_once(partial(_make_realm, deployment), realms.values())
    await at_once(partial(_equip, deployment), everybody)
    return cast


async def at_once(
    function: Callable[[Item], Awaitable[Result]], items: Iterable[Item], most: int = AT_ONCE
) -> list[Result]:
    """Run up to ``most`` calls at a time; return the results in order. The first failure ends all."""
    places = asyncio.Semaphore(most)

    async def placed(item: Item) -> Result:
        async with places:
            return await function(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(placed(item)) for item in items]
    return [task.result() for task in tasks]


async def _make_realm(deployment: Deployment, subjects: list[Subject]) -> None:
    realm = subjects[0].realm
    asker = {"clientId": ASKER, "secret": ASKERS_SECRET, "serviceAccountsEnabled": True}
    clients = [each.representation(deployment.jwks.base) for each in subjects]
    providers = [each.provider(deployment.jwks.base) for each in subjects if each.place.kind == "issued"]
    representation = {"realm": realm, "clients": [asker, *clients], "identityProviders": providers}
    await deployment.call("POST", "", json={**representation, "enabled": True})
    listed = await deployment.call("GET", f"/{realm}/clients?max=1000")
    ids = {each["clientId"]: each["id"] for each in json.loads(listed.content)}
    for each in subjects:
        each.uuid = ids[each.client_id]
    for library in deployment.libraries:
        joined = await library.http.post(f"/realms/{realm}")
        assert joined.status_code == 204, joined.text


async def _equip(deployment: Deployment, subject: Subject) -> None:
    """Give a subject its credentials: a token, a session, a former secret."""
    place = subject.place
    if subject.way is not None and subject.way.key == "rotated":
        await deployment.call("POST", f"/{subject.realm}/clients/{subject.uuid}/client-secret")
    if place.use == "own token":
        subject.token = subject.own_token()
    elif place.use == "token":
        answer = await deployment.nodes[0].http.post(
            f"/realms/{subject.realm}/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": basic(subject.client_id, subject.secret)},
        )
        assert answer.status_code == 200, (subject.cell, answer.text)
        subject.token = json.loads(answer.content)["access_token"]
    elif place.use == "session":
        credentials = {
            "realm": subject.realm,
            "client_id": subject.client_id,
            "client_secret": subject.secret,
        }
        answer = await deployment.credentials.http.post("/console/session", json=credentials)
        assert answer.status_code == 200, (subject.cell, answer.text)
        subject.cookie = answer.headers["set-cookie"].split(";")[0]
        deployment.credentials.http.cookies.clear()
