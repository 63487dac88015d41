"""Processes of a stack, by their ids."""

from pathlib import Path

from tests.testkit.local_stack import RunningStack


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
    """Return whether it runs; a zombie does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except FileNotFoundError:
        return False
