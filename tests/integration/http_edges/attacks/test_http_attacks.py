"""Attacks on HTTP fail at every process, without affecting other callers."""

import asyncio
import base64
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import httpx
import pytest

from tests.integration.http_edges.attacks import (
    HIDDEN,
    HIDDEN_ANSWER,
    HttpAttack,
    borrowed_fields,
    endless,
    smuggling,
)
from tests.testkit.http_edges import ADMIN_PATH, NAMES, TOKEN_PATH, Edge
from tests.testkit.http_reading.answers import read_answers
from tests.testkit.http_reading.exchange import Received, exchange
from tests.testkit.http_reading.stream import LAST
from tests.testkit.http_reading.verdict import addressed

pytestmark = pytest.mark.timeout(600)
FRONTS: Final = {
    "smuggled requests": smuggling.ATTACKS,
    "borrowed fields": borrowed_fields.ATTACKS,
    "endless requests": endless.ATTACKS,
}
_BELIEVED: Final = frozenset({201, 409})
"""Statuses of a client that was made with an access token, or was there already."""
_ANSWERS_TOKENS: Final = frozenset(NAMES) - {"fetcher"}
_ANSWERS_ADMIN: Final = frozenset({"credentials", "gateway to nodes", "gateway to credentials"})
_QUIET_SECONDS: Final = 5.0
_MAX_CONCURRENT: Final = 8


@dataclass
class Scene:
    """A process, and an administrator's credentials for it."""

    name: str
    edge: Edge
    basic: bytes
    bearer: bytes
    caller: httpx.AsyncClient

    async def attack(self, attack: HttpAttack) -> str | None:
        """Make the attack; return what is wrong with its outcome."""
        received = await self.send(attack.octets)
        answers = statuses_of(received)
        if attack.nginx_reads and self.name.startswith("gateway"):
            assert answers[0] in _BELIEVED
            return None
        told = f"{attack.name} ({attack.source}): {answers}, {'closed' if received.closed else 'open'}"
        failed = not answers or (answers[0] in attack.fails and _BELIEVED.isdisjoint(answers))
        if not failed or HIDDEN_ANSWER in received.octets or b"access_token" in received.octets:
            return told
        return (
            told if not received.closed or any(status in (500, 502, 503, 504) for status in answers) else None
        )

    async def send(self, octets: bytes) -> Received:
        """Send the octets with path and credentials filled in, and a last request after them."""
        path = TOKEN_PATH if b"BASIC" in octets else ADMIN_PATH if b"BEARER" in octets else self.edge.path
        wire = addressed(octets, path).replace(b"BASIC", self.basic).replace(b"BEARER", self.bearer)
        sent = [wire[at : at + 65536] for at in range(0, len(wire), 65536)]
        return await exchange(self.edge.port, [*sent, LAST], quiet=_QUIET_SECONDS, tls=self.edge.tls)


def statuses_of(received: Received) -> list[int]:
    return [answer.status for answer in read_answers(received.octets, [])]


@pytest.fixture(params=NAMES)
async def scene(request: pytest.FixtureRequest, edges: dict[str, Edge]) -> AsyncIterator[Scene]:
    name = request.param
    edge = edges[name]
    # A process without a token endpoint is attacked with tokens of the credentials service.
    admin = edge if edge.secret else edges["credentials"]
    pair = f"{admin.client_id}:{admin.secret}".encode()
    async with httpx.AsyncClient(base_url=admin.base_url, trust_env=False, timeout=60) as tokens:
        answer = await tokens.post(
            TOKEN_PATH.decode(),
            data={"grant_type": "client_credentials"},
            auth=(admin.client_id, admin.secret),
        )
        assert answer.status_code == 200, answer.text
        bearer = answer.json()["access_token"].encode()
    verify = edge.tls or False
    async with httpx.AsyncClient(
        base_url=edge.base_url, trust_env=False, verify=verify, timeout=60
    ) as caller:
        yield Scene(name, edge, b"Basic " + base64.b64encode(pair), b"Bearer " + bearer, caller)


@pytest.mark.parametrize("front", FRONTS)
async def test_every_attack_on_http_fails_and_another_caller_is_served(front: str, scene: Scene) -> None:
    turns = asyncio.Semaphore(_MAX_CONCURRENT)

    async def outcome(attack: HttpAttack) -> str | None:
        fault = None
        async with turns:
            with contextlib.suppress(ConnectionError):
                fault = await scene.attack(attack)
            assert (await scene.caller.get("/health/live")).status_code == 200, attack.name
        return fault

    assert [fault for fault in await asyncio.gather(*map(outcome, FRONTS[front])) if fault] == []


async def test_what_an_attack_hides_succeeds_in_the_open(scene: Scene) -> None:
    """Otherwise the attacks would fail whatever a server made of them."""
    assert HIDDEN_ANSWER in (await scene.send(HIDDEN)).octets
    by_secret = await scene.send(borrowed_fields.IN_THE_OPEN["Basic"])
    assert (b"access_token" in by_secret.octets) is (scene.name in _ANSWERS_TOKENS)
    by_token = await scene.send(borrowed_fields.IN_THE_OPEN["Bearer"])
    assert (statuses_of(by_token)[0] in _BELIEVED) is (scene.name in _ANSWERS_ADMIN)


def test_attacks_have_names_of_their_own_and_sources() -> None:
    for attacks in FRONTS.values():
        names = Counter(attack.name for attack in attacks)
        assert [name for name, count in names.items() if count > 1] == []
        assert all(attack.source for attack in attacks)
