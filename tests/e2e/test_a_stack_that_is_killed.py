"""After any process was killed, acknowledged changes are there and the nodes catch up."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.process_ids import all_pids, is_alive, pid_of
from tests.testkit.local_stack import Admin, RunningStack, ask_token, eventually


@pytest.fixture
def stack(data: Path) -> Iterator[RunningStack]:
    # A wait outlasts the leases that a killed Redis may have lost: short ones make the test fast.
    settings: dict[str, Any] = {"KEYTURN_LEASE_SECONDS": "2", "KEYTURN_LEASE_MARGIN_SECONDS": "0.5"}
    with RunningStack(data, **settings).start() as running:
        yield running


def is_replaced(stack: RunningStack, victim: str, pid: int) -> bool:
    return pid_of(stack, victim) != pid


def gets_a_token(node: str, client_id: str, secret: str) -> bool:
    return ask_token(node, "killed", client_id, secret).status_code == 200


def nothing_is_pending(admin: Admin) -> bool:
    return bool(admin.call("GET", "/fleet").json()["pending"] == [])


def test_nothing_acknowledged_is_lost_and_every_node_catches_up(stack: RunningStack) -> None:
    admin = Admin(stack, "killed")
    admin.make_realm()
    secrets: dict[str, str] = {}
    for victim in ("redis", "credentials", "gateway", "node-1", "node-2", "supervisor"):
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
            eventually(partial(is_replaced, stack, victim, pid))

        for known, secret in secrets.items():
            for node in stack.node_urls:
                eventually(partial(gets_a_token, node, known, secret))
        eventually(partial(nothing_is_pending, admin))
