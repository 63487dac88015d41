"""TLS is always verified, against the system's authorities and the configured private ones."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from redis.asyncio import Redis

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.network.tls import client_context
from tests.integration.network.attempting import attempt, serving
from tests.integration.network.hostile_tls import AUTHORITY, HOSTILE_TLS, HostileTls, good, serve_keys


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    file = tmp_path / "authority.pem"
    file.write_bytes(AUTHORITY.pem)
    return file


@pytest.mark.parametrize("hostile", HOSTILE_TLS, ids=lambda hostile: hostile.attack)
async def test_a_server_that_does_not_prove_who_it_is_is_refused(
    redis: Redis, tmp_path: Path, ca_file: Path, hostile: HostileTls
) -> None:
    async with serving(serve_keys, tls=hostile.context(tmp_path)) as port:
        record = await attempt(redis, f"https://127.0.0.1:{port}/jwks", tls=client_context(ca_file))
    assert (record.failure, record.keys) == (hostile.reason, ())


@pytest.mark.parametrize(
    ("greeting", "reason"), [(b"HTTP/1.1 400 X\r\n\r\n", "tls_failed"), (b"", "timeout")]
)
async def test_a_server_that_speaks_no_tls_or_does_not_speak_is_refused(
    redis: Redis, greeting: bytes, reason: str
) -> None:
    held: list[asyncio.StreamWriter] = []

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        writer.write(greeting)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    record = await attempt(redis, f"https://127.0.0.1:{port}/jwks")
    server.close()
    for writer in held:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    assert record.failure == reason


async def test_a_private_authority_counts_once_it_is_configured(
    redis: Redis, tmp_path: Path, ca_file: Path
) -> None:
    async with serving(serve_keys, tls=good(tmp_path)) as port:
        url = f"https://127.0.0.1:{port}/jwks"
        record = await attempt(redis, url)
        assert record.failure == "tls_failed"
        await redis.flushall()
        record = await attempt(redis, url, tls=client_context(ca_file))
    assert (record.failure, len(record.keys)) == (None, 1)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=str(file)):
        client_context(file)
