"""An event may come at any moment while a node reads what it is about: nothing of before is kept."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any, Final, cast

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.fleet.reading import Loaded
from keyturn_shared.oauth.entities import ClientState, RealmState, StateReader
from keyturn_shared.position import Position
from keyturn_shared.projection import client_field, encode_projection, projection_value
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replica.cache import StateCache
from tests.testkit.filled_redis import RING
from tests.testkit.oauth_scene import BASE_URL
from tests.unit.verifier.web.node_changes import CHANGES
from tests.unit.verifier.web.node_in_memory import SECRETS, NodeInMemory
from tests.unit.verifier.web.node_requests import TOKENS

_MOMENTS: Final = 15
"""Turns of the event loop in which an answer that reads its states is complete."""


@dataclass
class _Read:
    outcome: Loaded
    value: bytes


class _Redis:
    """The source of the node's cache, with what the node in memory has."""

    def __init__(self, node: NodeInMemory) -> None:
        self._states = node.memory.states

    async def load(self, field: str, _: Position) -> _Read:
        state = self._states[field]
        await asyncio.sleep(0)
        assert isinstance(state, RealmState | ClientState)
        return _Read(Loaded.FOUND, projection_value(1, encode_projection(state.projection)))


async def _status(node: NodeInMemory, path: str, authorization: str) -> int:
    headers = [(b"authorization", authorization.encode())]
    headers.append((b"content-type", b"application/x-www-form-urlencoded"))
    reply = await node.ask(f"/realms/acme/{path}", headers, b"grant_type=client_credentials", b"")
    return reply.status


@pytest.mark.parametrize(
    ("path", "authorization", "change"),
    [
        (
            "protocol/openid-connect/token",
            "Basic " + base64.b64encode(f"worker:{SECRETS[0]}".encode()).decode(),
            "rotation of worker",
        ),
        ("forward-auth", f"Bearer {TOKENS['plain']}", "revocation of worker"),
    ],
    ids=["secret", "token"],
)
async def test_what_ends_while_it_is_read_is_accepted_no_more(
    path: str, authorization: str, change: str
) -> None:
    before = []
    for moment in range(_MOMENTS):
        node = NodeInMemory(keeps=True)
        reader = StateReader(RING, BASE_URL)
        metrics = NodeMetrics(CollectorRegistry())
        cache = StateCache(
            cast("Any", _Redis(node)), lambda _, value: value, reader, _position, metrics, capacity=10
        )
        node.memory.cached, node.memory.get = cache.cached, cache.get  # type: ignore[method-assign]
        answer = asyncio.create_task(_status(node, path, authorization))
        for _ in range(moment):
            await asyncio.sleep(0)
        CHANGES[change](node)
        cache.forget([client_field(node.realm.id, "worker")])
        before.append(await answer)
        for _ in range(2):
            assert await _status(node, path, authorization) == 401, moment
    assert before[0] == 401
    assert before[-1] < 300


def _position() -> Position:
    return Position(1, 1)
