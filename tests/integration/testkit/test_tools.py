"""The tools of other tests exist and run."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Page
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.testkit.keytool import RunKeytool
from tests.testkit.nodejs import PROJECT, RunNode
from tests.testkit.postgres import PostgresServer
from tests.testkit.processes import Processes
from tests.testkit.tools import ToolError, run
from tests.testkit.waiting import wait_until, wait_until_blocking


async def _rows(url: str, *statements: str) -> list[tuple[object, ...]]:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            for statement in statements:
                result = await connection.execute(text(statement))
            return [tuple(row) for row in result]
    finally:
        await engine.dispose()


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_has_a_postgresql_database_of_its_own(postgres_url: str, turn: int) -> None:
    rows = await _rows(
        postgres_url, "CREATE TABLE once (turn int)", f"INSERT INTO once VALUES ({turn}) RETURNING turn"
    )
    assert rows == [(turn,)]


async def test_a_postgresql_that_was_killed_recovers_what_was_committed() -> None:
    server = PostgresServer()
    try:
        url = server.start().url(server.create_database())
        await _rows(url, "CREATE TABLE kept (number int)", "INSERT INTO kept VALUES (7) RETURNING number")
        server.kill()
        with pytest.raises(OSError):
            await _rows(url, "SELECT 1")
        server.start()
        assert await _rows(url, "SELECT number FROM kept") == [(7,)]
    finally:
        server.close()
    assert not server.directory.exists()


def test_keytool_makes_and_lists_a_key_store(keytool: RunKeytool, tmp_path: Path) -> None:
    store = ["-keystore", tmp_path / "store.p12", "-storepass", "changeit"]
    made = keytool("-genkeypair", "-alias", "one", "-keyalg", "EC", "-dname", "CN=one", *store)
    assert made.returncode == 0, made.stdout
    assert "Alias name: one" in keytool("-list", "-v", *store).stdout


def test_node_runs_a_script_with_the_packages(node: RunNode) -> None:
    ended = node("versions.mjs")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == sorted(ended.stdout.split())
    assert "jose@6.2.18" in ended.stdout


def test_the_lock_file_pins_without_addresses() -> None:
    lock = (PROJECT / "package-lock.json").read_text()
    assert "://" not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')


@pytest.mark.asyncio(loop_scope="session")
async def test_chromium_shows_a_page_and_runs_its_script(page: Page) -> None:
    await page.set_content("<title>key</title><script>document.title += 'turn'</script><h1>Keys</h1>")
    assert await page.title() == "keyturn"
    assert await page.get_by_role("heading", name="Keys").is_visible()
    assert (await page.screenshot())[:4] == b"\x89PNG"


async def test_nginx_serves(nginx: Path, processes: Processes, tmp_path: Path, free_port: int) -> None:
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"master_process off; pid {tmp_path}/pid; events {{}} http {{ access_log off;"
        f" client_body_temp_path {tmp_path}/a; proxy_temp_path {tmp_path}/b; fastcgi_temp_path {tmp_path}/c;"
        f" uwsgi_temp_path {tmp_path}/d; scgi_temp_path {tmp_path}/e;"
        f" server {{ listen 127.0.0.1:{free_port}; location / {{ return 200 served; }} }} }}"
    )
    server = processes.start([nginx, "-e", "stderr", "-p", tmp_path, "-c", config, "-g", "daemon off;"])

    async def served() -> bytes:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", free_port)
        except OSError:
            assert server.alive, server.output()
            return b""
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    assert (await wait_until(served)).endswith(b"served")
    assert "auth_request" in run([nginx, "-V"]).stderr


def test_processes_end_with_their_test_whatever_they_do_with_signals(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    processes = Processes(tmp_path)
    process = processes.start([sys.executable, "-c", deaf])
    wait_until_blocking(lambda: "up" in process.output())
    process.pause()
    assert process.stop(0.1) == -9
    willing = processes.start([sys.executable, "-c", "import time; time.sleep(60)"])
    processes.end_all()
    assert not willing.alive


def test_a_wait_that_is_in_vain_says_what_it_saw_last() -> None:
    with pytest.raises(AssertionError, match=re.escape("not within 0.05 s; last seen: 0")):
        wait_until_blocking(lambda: 0, timeout=0.05)


def test_a_tool_that_is_missing_or_hangs_is_a_clear_error() -> None:
    with pytest.raises(ToolError, match="no-such-tool"):
        run(["no-such-tool"])
    with pytest.raises(ToolError, match="timed out"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], seconds=0.1)


def test_postgresql_leaves_no_process_when_its_test_run_is_killed() -> None:
    program = (
        "import time; from tests.testkit.postgres import PostgresServer\n"
        "server = PostgresServer().start(); print(server.directory, server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        directory, pid = parent.stdout.readline().split()
        parent.kill()
    wait_until_blocking(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))
    run(["rm", "-rf", directory])


def _is_zombie(pid: str) -> bool:
    return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
