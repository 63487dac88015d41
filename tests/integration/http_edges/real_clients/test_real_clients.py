"""Clients of every language work with default settings, through the gateway and at each service."""

import asyncio
import json
from typing import Any

import pytest

from tests.integration.http_edges.real_clients.runners import CLIENTS, environment, reuses_connections
from tests.testkit.http_edges import Edge
from tests.testkit.tcp_proxy import TcpProxy, tcp_proxy
from tests.testkit.tools import REPOSITORY, run

pytestmark = pytest.mark.timeout(600)
_SECONDS = 120.0
_TOKEN = "/realms/master/protocol/openid-connect/token"
_CLIENTS = "/admin/realms/master/clients"
_TARGETS = {
    "through the gateway": ("gateway to nodes", "gateway to nodes"),
    "at node and credentials service": ("node", "credentials"),
    "at the credentials service": ("credentials", "credentials"),
}


@pytest.mark.parametrize("target", _TARGETS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_client_gets_tokens_makes_a_client_and_regenerates_its_secret(
    client: str, target: str, edges: dict[str, Edge]
) -> None:
    tokens, admin = (edges[name] for name in _TARGETS[target])
    async with tcp_proxy(tokens.port) as to_tokens, tcp_proxy(admin.port) as to_admin:
        done = await _run(client, target, to_tokens, to_admin, admin)
        connections = [to_tokens.connections, to_admin.connections]
    assert done == {"statuses": [200, 201, 200, 200, 200], "kept": True}
    assert sum(connections) < len(done["statuses"]) or not reuses_connections(client)


async def _run(client: str, target: str, to_tokens: TcpProxy, to_admin: TcpProxy, admin: Edge) -> Any:
    """Run a client and return its report."""
    variables = environment(
        f"http://127.0.0.1:{to_tokens.port}{_TOKEN}",
        f"http://127.0.0.1:{to_admin.port}{_CLIENTS}",
        admin.client_id,
        admin.secret,
        f"{client} {target}".replace("/", " "),
    )
    ended = await asyncio.to_thread(
        run, CLIENTS[client](), cwd=REPOSITORY, environment=variables, seconds=_SECONDS
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)
