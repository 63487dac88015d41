"""The start of a node with several workers, and what keeps it from starting."""

from pathlib import Path

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.projection import RealmProjection
from tests.integration.workers.several_workers import Caller, start_node, start_parent
from tests.testkit.filled_redis import Filling
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until

_SECONDS = 60.0


async def test_an_unusable_setting_is_reported_once(redis_url: str, processes: Processes) -> None:
    parent = start_parent(
        processes, redis_url, find_free_port(), KEYTURN_WORKERS="3", KEYTURN_FLEET_KEYS="abc"
    )
    assert parent.wait(_SECONDS) == 2
    lines = [line for line in parent.output().splitlines() if line.startswith("keyturn:")]
    assert lines == ["keyturn: KEYTURN_FLEET_KEYS: a fleet key has 2 bytes, not 32"]


async def test_a_wrong_number_of_workers_is_named(redis_url: str, processes: Processes) -> None:
    parent = start_parent(processes, redis_url, find_free_port(), KEYTURN_WORKERS="none")
    assert parent.wait(_SECONDS) == 2
    assert parent.output().startswith("keyturn: KEYTURN_WORKERS: ")


async def test_an_address_in_use_is_reported(filling: Filling, redis_url: str, processes: Processes) -> None:
    node = await start_node(processes, filling, redis_url)
    parent = start_parent(processes, redis_url, node.port, KEYTURN_WORKERS="2")
    assert parent.wait(_SECONDS) == 2
    assert f"port {node.port} cannot be opened" in parent.output()


async def test_without_redis_a_node_says_that_it_is_not_ready(
    tmp_path: Path, realm: RealmProjection, processes: Processes
) -> None:
    away = EmbeddedRedis(tmp_path, port=find_free_port())
    port = find_free_port()
    start_parent(processes, away.url, port, "--workers", "2")

    async def refused() -> bool:
        caller = Caller(port)
        try:
            status, body = await caller.get("/health/ready")
        except OSError:
            return False
        finally:
            caller.close()
        return status == 503 and "lease" in body

    await wait_until(refused)


async def test_secrets_are_read_from_files_by_the_workers(
    filling: Filling, redis_url: str, processes: Processes, tmp_path: Path
) -> None:
    (tmp_path / "count").write_text("2\n")
    (tmp_path / "redis").write_text(redis_url)
    (tmp_path / "name").write_text("node-b")
    node = await start_node(
        processes,
        filling,
        "",
        KEYTURN_REDIS_URL_FILE=str(tmp_path / "redis"),
        KEYTURN_NODE_ID="",
        KEYTURN_NODE_ID_FILE=str(tmp_path / "name"),
    )
    assert sorted(await node.members()) == ["node-b.w0", "node-b.w1"]
