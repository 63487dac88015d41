"""The fleet as the admin API shows it."""

from typing import Any

from keyturn_shared.fleet.registry import FleetSummary, NodeRecord, RegistryView, status_of, summarize


def describe(
    view: RegistryView, sequence: int | None = None, summary: FleetSummary | None = None
) -> dict[str, Any]:
    """Build the JSON of ``GET /admin/realms/{realm}/fleet``.

    ``head`` is the newest published sequence. ``lag_ms``: time since the last report of a node behind the
    head (0 for other nodes). ``lease``: its remaining time by Redis' clock. ``applied``, ``fenced`` and
    ``pending`` refer to ``sequence``, or by default to the head; ``safe`` means that no node accepts any more
    what that event ended. ``summary``: given if it was computed already.
    """
    head = view.head
    newest = head.position.sequence if head else 0
    asked = newest if sequence is None else sequence
    summary = summary or summarize(view, asked)
    return {
        "head": newest,
        "epoch": head.position.epoch if head else 0,
        "complete": bool(head and head.complete),
        "trusted": bool(head and head.trusted),
        "sequence": asked,
        "safe": summary.safe,
        "waits_settled_in_ms": max(0, head.waits_after - view.now) if head else 0,
        "applied": summary.applied,
        "fenced": summary.fenced,
        "pending": list(summary.pending),
        "nodes": [_describe_node(node, view, newest, asked) for node in view.nodes],
    }


def _describe_node(node: NodeRecord, view: RegistryView, newest: int, asked: int) -> dict[str, Any]:
    behind = node.applied.sequence < newest
    return {
        **node.details,
        "id": node.node_id,
        "applied": node.applied.sequence,
        "epoch": node.applied.epoch,
        "behind": max(0, newest - node.applied.sequence),
        "lag_ms": view.now - node.renewed_at if behind else 0,
        "lease": "held" if node.expires_at > view.now else "expired",
        "lease_left_ms": max(0, node.expires_at - view.now),
        "renewed_ms_ago": view.now - node.renewed_at,
        "standing": status_of(node, view, asked).value,
    }
