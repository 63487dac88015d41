"""A tunnel through an HTTP proxy (RFC 9110 section 9.3.6)."""

from typing import Final

import httpcore

from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.refusal import FetchRefused, Reason

_MAX_HEADER_BYTES: Final = 8 * 1024


async def open_tunnel(
    stream: httpcore.AsyncNetworkStream, proxy: Proxy, host: str, port: int, seconds: float
) -> httpcore.AsyncNetworkStream:
    """Request a tunnel to an address or a name from the proxy at the other end. Raises FetchRefused."""
    target = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode()
    headers = [(b"Host", target)]
    if proxy.authorization is not None:
        headers.append((b"Proxy-Authorization", proxy.authorization))
    url = httpcore.URL(scheme=b"http", host=proxy.host.encode(), port=proxy.port, target=target)
    request = httpcore.Request(
        b"CONNECT", url, headers=headers, extensions={"timeout": {"read": seconds, "write": seconds}}
    )
    connection = httpcore.AsyncHTTP11Connection(origin=url.origin, stream=stream)
    try:
        response = await connection.handle_async_request(request)
    except httpcore.RemoteProtocolError:
        raise FetchRefused(Reason.PROXY_FAILED, "the proxy's response to CONNECT cannot be read") from None
    if sum(len(name) + len(value) for name, value in response.headers) > _MAX_HEADER_BYTES:
        raise FetchRefused(Reason.PROXY_FAILED, "the proxy's response to CONNECT cannot be read")
    if not 200 <= response.status < 300:
        raise FetchRefused(Reason.PROXY_FAILED, f"the proxy refused: status {response.status}")
    tunnel: httpcore.AsyncNetworkStream = response.extensions["network_stream"]
    return tunnel
