"""A server's entity tag is sent back unchanged."""

import asyncio

from keyturn_shared.network.addresses import read_networks
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher

POLICY = FetchPolicy(total_seconds=60, first_byte_seconds=60, allowed_networks=read_networks(["127.0.0.0/8"]))


async def test_a_tag_beyond_ascii_is_sent_back_octet_for_octet() -> None:
    """RFC 9110 section 8.8.3 allows obs-text in it."""
    heads: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b'HTTP/1.1 304 Not Modified\r\nETag: "\xe9"\r\nConnection: close\r\n\r\n')
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    fetcher = GuardedFetcher()
    try:
        first = await fetcher.fetch(url, policy=POLICY)
        await fetcher.fetch(url, policy=POLICY, etag=first.headers["etag"])
    finally:
        fetcher.close()
        server.close()
    assert b'\r\nIf-None-Match: "\xe9"\r\n' in heads[1]
