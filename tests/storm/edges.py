"""Edges of a storm's network: pairs of parts with a proxy in between, which can inject faults."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from tests.testkit.tcp_proxy import TcpProxy, tcp_proxy

CREDENTIALS_REDIS: Final = "credentials-redis"
NODES_REDIS: Final = "nodes-redis"
CREDENTIALS_DATABASE: Final = "credentials-database"
CALLERS_CREDENTIALS: Final = "callers-credentials"
CALLERS_NODES: Final = "callers-nodes"
CALLERS_GATEWAY: Final = "callers-gateway"
NODES_CREDENTIALS: Final = "nodes-credentials"
NODES_JWKS: Final = "nodes-jwks"
EDGES: Final = (
    CREDENTIALS_REDIS,
    NODES_REDIS,
    CREDENTIALS_DATABASE,
    CALLERS_CREDENTIALS,
    CALLERS_NODES,
    CALLERS_GATEWAY,
    NODES_CREDENTIALS,
    NODES_JWKS,
)


class Edges:
    """``links``: by edge, the proxies of each pair of parts; an edge to Redis has one per server. They end
    with the stack."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.links: dict[str, list[list[TcpProxy]]] = {edge: [] for edge in EDGES}
        self._stack = stack

    async def lead_to(self, edge: str, target: int | Path) -> int:
        """Return the port of a new proxy on that edge."""
        proxy = await self._stack.enter_async_context(tcp_proxy(target))
        self.links[edge].append([proxy])
        return proxy.port

    async def lead_to_redis(self, edge: str, sentinel: int, servers: Sequence[int]) -> int:
        """Return the port of the Sentinel for one more part, which names the edge's proxies instead of the
        servers."""
        proxies = [await self._stack.enter_async_context(tcp_proxy(port)) for port in servers]
        named = {
            _as_bulk_string(port): _as_bulk_string(proxy.port)
            for port, proxy in zip(servers, proxies, strict=True)
        }
        watcher = await self._stack.enter_async_context(tcp_proxy(sentinel, rewritten=named))
        self.links[edge].append([*proxies, watcher])
        return watcher.port


def _as_bulk_string(port: int) -> bytes:
    """Encode like Redis (RESP). A port assigned by the system has five digits."""
    return f"${len(str(port))}\r\n{port}\r\n".encode()


def proxies(links: Mapping[str, list[list[TcpProxy]]]) -> list[TcpProxy]:
    """Return all proxies."""
    return [proxy for pairs in links.values() for pair in pairs for proxy in pair]
