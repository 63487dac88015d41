"""Starting, stopping and starting again."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.process_ids import all_pids, is_alive
from tests.testkit.local_stack import Admin, RunningStack, ask_token

MakeStack = Callable[..., RunningStack]


def require_agreement(stack: RunningStack, starts: int) -> None:
    """Wait until the demo of this start is over: all nodes agree."""
    deadline = time.monotonic() + 60
    while stack.said().count("Ctrl-C stops all of it.") < starts and time.monotonic() < deadline:
        time.sleep(0.1)
    agreed = "All nodes agree (2 of 2): the first key is refused, the second accepted."
    assert stack.said().count(agreed) == starts, stack.said()


def test_a_stopped_stack_starts_again_with_nothing_lost(data: Path, make_stack: MakeStack) -> None:
    """No process is left behind, and the second start finds the data of the first one. The demo runs at each
    start."""
    stack = make_stack("--demo").start()
    require_agreement(stack, 1)
    admin = Admin(stack, "kept")
    admin.make_realm()
    secret = admin.secret(admin.make_client("kept"))
    first_login = stack.local["admin"]
    started = all_pids(stack)

    assert stack.stop(signal.SIGTERM) == 0
    assert not any(is_alive(pid) for pid in started)
    assert not (data / "local.json").exists()
    assert stack.said().count(first_login["client_secret"]) == 1

    stack.start()
    require_agreement(stack, 2)
    assert stack.base_url == f"http://127.0.0.1:{stack.port}", "kept, as everything else"
    assert stack.local["admin"] == first_login
    assert stack.said().count(first_login["client_secret"]) == 1, "shown at the first start alone"
    assert ask_token(stack.node_urls[0], "kept", "kept", secret).status_code == 200
    assert stack.stop(signal.SIGINT) == 0


def test_local_json_is_for_its_owner_and_says_where_everything_is(stack: RunningStack) -> None:
    path = stack.data / "local.json"
    assert path.stat().st_mode & 0o777 == 0o600
    local = json.loads(path.read_text())
    assert local["base_url"] == f"http://127.0.0.1:{stack.port}"
    assert local["admin"].keys() == {"realm", "client_id", "client_secret"}
    assert local["processes"].keys() == {"credentials", "gateway", "redis"}
    assert [node["id"].partition(".")[0] for node in local["nodes"]] == ["node-1", "node-2"]
    assert all(is_alive(pid) for pid in all_pids(stack))
