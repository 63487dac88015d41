"""After a storm: every node equals the database."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.storm.admin import Admin
from tests.storm.clients import Credential, StormClient
from tests.storm.http import NoAnswerError, Server
from tests.storm.probes import ask_token

_SETTLE_SECONDS = 60.0


async def disagreements(admin: Admin, nodes: list[Server], clients: Sequence[StormClient]) -> list[str]:
    """What differs: a node that is not at the log's end, refuses what is in force, or accepts what ended."""
    wrong = await _unsettled(admin, len(nodes))
    for node in nodes:
        for found in await asyncio.gather(*(_compare(node, client) for client in clients)):
            wrong += found
    return wrong


async def _unsettled(admin: Admin, nodes: int) -> list[str]:
    until = asyncio.get_running_loop().time() + _SETTLE_SECONDS
    view: dict[str, Any] = {}
    while asyncio.get_running_loop().time() < until:
        try:
            view = await admin.fleet()
        except NoAnswerError:
            view = {}
        if _settled(view, nodes):
            return []
        await asyncio.sleep(0.2)
    return [f"the fleet did not settle: {view}"]


def _settled(view: dict[str, Any], nodes: int) -> bool:
    """Whether each process has a lease and the newest event; those that were killed may still be listed."""
    held = [node for node in view.get("nodes", []) if node["lease"] == "held"]
    return bool(view.get("complete")) and len(held) == nodes and all(not node["behind"] for node in held)


async def _compare(node: Server, client: StormClient) -> list[str]:
    wrong = []
    status = await _status(node, client.current)
    if status != 200:
        wrong.append(f"{node.base_url} refuses the {client.current.name} with {status}")
    if client.ended:
        status = await _status(node, client.ended[-1])
        if status not in (400, 401):
            wrong.append(f"{node.base_url} answers {status} to the {client.ended[-1].name}, which has ended")
    return wrong


async def _status(node: Server, credential: Credential) -> int:
    """The node's answer, once it has one: after a loss of Redis, assertions are asked for anew."""
    until = asyncio.get_running_loop().time() + _SETTLE_SECONDS
    while True:
        status = (await ask_token(node, credential)).status
        if status != 503 or asyncio.get_running_loop().time() > until:
            return status
        await asyncio.sleep(0.5)
