"""The embedded Redis of tests and the local stack."""

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from keyturn.stack.redis_server import EmbeddedRedis, RedisServerError
from keyturn_shared.redis_client import connect
from tests.testkit.redis import pause, resume
from tests.testkit.waiting import wait_until_blocking


async def test_it_starts_empty_and_answers(redis: Redis) -> None:
    assert await redis.dbsize() == 0
    await redis.set("left", "over")


async def test_the_next_test_finds_it_empty(redis: Redis) -> None:
    assert await redis.dbsize() == 0


async def test_it_asks_for_its_password(redis_server: EmbeddedRedis) -> None:
    client = connect(f"redis://127.0.0.1:{redis_server.port}/0")
    with pytest.raises(RedisError, match="authenticated"):
        await client.ping()
    await client.aclose()


async def test_a_paused_server_makes_a_call_run_into_its_time_limit(redis_server: EmbeddedRedis) -> None:
    client = connect(redis_server.url, answer_seconds=0.2)
    await client.ping()
    pause(redis_server)
    with pytest.raises((RedisError, asyncio.TimeoutError)):
        await client.ping()
    resume(redis_server)
    await client.aclose()


async def test_a_killed_server_starts_again_empty(redis_server: EmbeddedRedis, redis: Redis) -> None:
    await redis.set("a", "b")
    redis_server.kill()
    redis_server.start()
    client = connect(redis_server.url)
    assert await client.dbsize() == 0
    await client.aclose()


async def test_a_server_that_starts_again_is_found_where_it_was(redis_server: EmbeddedRedis) -> None:
    url = redis_server.url
    redis_server.stop()
    redis_server.start()
    assert redis_server.url == url


def test_its_password_is_in_no_command_line(redis_server: EmbeddedRedis) -> None:
    password = urlsplit(redis_server.url).password or ""
    assert password
    assert password not in Path(f"/proc/{redis_server.pid}/cmdline").read_text()
    assert (redis_server.directory / "redis.conf").stat().st_mode & 0o077 == 0


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from keyturn.stack.redis_server import EmbeddedRedis\n"
        "print(EmbeddedRedis(Path(sys.argv[1])).start().pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        parent.kill()
    wait_until_blocking(lambda: not _runs(server))


def test_a_port_that_is_taken_is_a_clear_error(redis_server: EmbeddedRedis, tmp_path: Path) -> None:
    with pytest.raises(RedisServerError, match=r"failed to start; see .*redis\.log"):
        EmbeddedRedis(tmp_path, port=redis_server.port).start()


async def test_a_persistent_server_keeps_what_was_written_over_a_clean_stop(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / 'a "quoted" name', persistent=True).start()
    try:
        client = connect(server.url)
        await client.set("a", "b")
        await client.aclose()
        server.stop()
        server.start()
        client = connect(server.url)
        assert await client.get("a") == b"b"
        await client.aclose()
    finally:
        server.kill()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
