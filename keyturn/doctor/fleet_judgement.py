"""Judgement of the nodes by their records. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from keyturn.doctor.diagnoses import callers
from keyturn.doctor.findings import Finding
from keyturn_shared.fleet.registry import NodeRecord, RegistryView

CLOCK_SECONDS: Final = 5.0
"""Difference of a clock from Redis' from which it is reported."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The state that every node should have. ``sequence``: the newest event that it had time to apply.
    ``fleet_key``: id of the first fleet key."""

    sequence: int
    fleet_key: str
    release: str


def judge_nodes(view: RegistryView, expected: Expected) -> Iterator[Finding]:
    """Yield what is wrong with the fleet, node by node."""
    if not view.nodes and not view.unreadable:
        yield Finding(callers.FLEET_EMPTY, "no node is registered in Redis")
    for name in view.unreadable:
        yield Finding(callers.NODE_RECORD_UNREADABLE, f"the record of {name[:100]}")
    for node in view.nodes:
        yield from _judge_lease(node, view, expected)
        yield from _judge_details(node, expected)


def is_behind(node: NodeRecord, view: RegistryView, sequence: int) -> bool:
    """Return whether a node holds a record and has not applied that event."""
    epoch = 0 if view.head is None else view.head.position.epoch
    is_there = node.applied.epoch == epoch and node.applied.sequence >= sequence
    return node.expires_at >= view.now and not is_there


def _judge_lease(node: NodeRecord, view: RegistryView, expected: Expected) -> Iterator[Finding]:
    name = node.node_id
    if node.expires_at < view.now:
        silent = f"{name} has not reported for {(view.now - node.renewed_at) // 1000} s"
        stale = node.serves_stale
        yield Finding(
            callers.NODE_ANSWERS_STALE if stale else callers.NODE_FENCED, silent + _last_error(node)
        )
        return
    if node.serves_stale:
        yield Finding(callers.NODE_SERVES_STALE, name)
    if is_behind(node, view, expected.sequence):
        missing = max(1, expected.sequence - node.applied.sequence)
        yield Finding(callers.NODE_BEHIND, f"{name} has not applied {missing} events{_last_error(node)}")


def _judge_details(node: NodeRecord, expected: Expected) -> Iterator[Finding]:
    keys = node.details.get("fleet_keys")
    if isinstance(keys, list) and expected.fleet_key not in keys:
        shown = ", ".join(str(key)[:16] for key in keys[:5])
        yield Finding(
            callers.NODE_OTHER_FLEET_KEY,
            f"{node.node_id} has the fleet keys {shown}, and not {expected.fleet_key}",
        )
    release = node.details.get("version")
    if isinstance(release, str) and release != expected.release:
        yield Finding(
            callers.NODE_OTHER_RELEASE,
            f"{node.node_id} runs {release[:40]}, this command is of {expected.release}",
        )
    clock = node.details.get("clock")
    if isinstance(clock, int | float):
        # The node wrote it just before Redis noted the renewal.
        apart = clock - node.renewed_at / 1000
        if abs(apart) >= CLOCK_SECONDS:
            ahead = "ahead of" if apart > 0 else "behind"
            yield Finding(
                callers.NODE_CLOCK_DIFFERS,
                f"the clock of {node.node_id} is {abs(apart):.0f} s {ahead} Redis'",
            )


def _last_error(node: NodeRecord) -> str:
    error = node.details.get("last_error")
    return f"; its last error: {error[:200]}" if isinstance(error, str) and error else ""
