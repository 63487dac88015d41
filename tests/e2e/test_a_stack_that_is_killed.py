"""Whatever process is killed, what was acknowledged is there afterwards and the nodes catch up."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Admin, RunningStack, ask_token, eventually

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture
def stack(data: Path) -> Iterator[RunningStack]:
    # A wait outlasts the leases a killed Redis may have forgotten: with short ones the test is quick.
    settings = {"KEYTURN_LEASE_SECONDS": "2", "KEYTURN_LEASE_MARGIN_SECONDS": "0.5"}
    running = RunningStack(data, **settings).start()
    try:
        yield running
    finally:
        running.stop()


def test_nothing_acknowledged_is_lost_and_every_node_catches_up(stack: RunningStack) -> None:
    admin = Admin(stack, "killed")
    admin.make_realm()
    secrets: dict[str, str] = {}
    for victim in ("redis", "credentials", "node-1", "node-2", "supervisor"):
        client_id = f"made-before-{victim}"
        secrets[client_id] = admin.secret(admin.make_client(client_id))
        pid = pid_of(stack, victim)
        os.kill(pid, signal.SIGKILL)
        if victim == "supervisor":
            others = all_pids(stack)
            stack.stop(signal.SIGKILL)
            stack.start()
            assert not any(is_alive(other) for other in others)
            admin = Admin(stack, "killed")
        else:
            eventually(lambda: pid_of(stack, victim) != pid)  # noqa: B023 - called within this round

        for known, secret in secrets.items():
            for node in stack.node_urls:
                eventually(lambda: ask_token(node, "killed", known, secret).status_code == 200)  # noqa: B023
        eventually(lambda: admin.call("GET", "/fleet").json()["pending"] == [])  # noqa: B023


def pid_of(stack: RunningStack, name: str) -> int:
    if name == "supervisor":
        return stack.pid
    local = stack.read_local()
    nodes = {node["id"].partition(".")[0]: node["pid"] for node in local["nodes"]}
    pids: dict[str, int] = local["processes"] | nodes
    return pids[name]


def all_pids(stack: RunningStack) -> list[int]:
    local = stack.read_local()
    return [*local["processes"].values(), *(node["pid"] for node in local["nodes"])]


def is_alive(pid: int) -> bool:
    """Whether it runs; one that has ended and that nobody waited for does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except FileNotFoundError:
        return False
