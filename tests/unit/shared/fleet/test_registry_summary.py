"""Evaluation of a wait: the state of each node, and the other conditions."""

from dataclasses import replace
from typing import Any

import pytest

from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import (
    UNACCOUNTED,
    NodeRecord,
    NodeStatus,
    RegistryView,
    status_of,
    summarize,
)
from keyturn_shared.position import Position

NOW = 1_000_000
EPOCH = 7
ASKED = 5
TERM = 11_000

HEAD = Head(
    position=Position(EPOCH, 9),
    event_id="e",
    complete=True,
    trusted=True,
    lease_ms=10_000,
    margin_ms=1_000,
    waits_after=0,
    opened_at=0,
    base_sequence=1,
    stamped_at=NOW,
    replay_barrier=0,
    closed_nonce=None,
)


def node(sequence: int, *, epoch: int = EPOCH, left: int = 5_000, stale: bool = False) -> NodeRecord:
    details = {"serves_stale": True} if stale else {}
    return NodeRecord("n", NOW + left, NOW, TERM, Position(epoch, sequence), details)


def view(*nodes: NodeRecord, published: int | None = NOW - 10, **head: Any) -> RegistryView:
    return RegistryView(NOW, replace(HEAD, **head), nodes, published)


@pytest.mark.parametrize(
    ("record", "published", "expected"),
    [
        pytest.param(node(ASKED), NOW - 10, NodeStatus.APPLIED, id="at the event"),
        pytest.param(node(ASKED + 1), NOW - 10, NodeStatus.APPLIED, id="after it"),
        pytest.param(node(ASKED - 1), NOW - 10, NodeStatus.PENDING, id="before it"),
        pytest.param(node(ASKED, epoch=EPOCH - 1), NOW - 10, NodeStatus.PENDING, id="in a past epoch"),
        pytest.param(node(ASKED, epoch=EPOCH + 1), NOW - 10, NodeStatus.PENDING, id="in an epoch to come"),
        pytest.param(node(ASKED - 1, left=0), NOW - 10, NodeStatus.PENDING, id="its record ends now"),
        pytest.param(node(ASKED - 1, left=-1), NOW - 10, NodeStatus.FENCED, id="its record has ended"),
        pytest.param(
            node(ASKED, left=-1), NOW - 10, NodeStatus.APPLIED, id="applied, and its record has ended"
        ),
        pytest.param(node(ASKED - 1), NOW - TERM, NodeStatus.PENDING, id="published a term ago, just"),
        pytest.param(node(ASKED - 1), NOW - TERM - 1, NodeStatus.FENCED, id="published more than a term ago"),
        pytest.param(node(ASKED - 1), None, NodeStatus.PENDING, id="not published"),
        pytest.param(
            node(ASKED - 1, left=-1, stale=True), NOW - 10, NodeStatus.PENDING, id="stale, record ended"
        ),
        pytest.param(
            node(ASKED - 1, stale=True), NOW - TERM - 1, NodeStatus.PENDING, id="stale, published long ago"
        ),
        pytest.param(node(ASKED, stale=True), NOW - 10, NodeStatus.APPLIED, id="stale, and applied"),
    ],
)
def test_a_node_has_the_status(record: NodeRecord, published: int | None, expected: NodeStatus) -> None:
    seen = view(record, published=published)
    assert status_of(record, seen, ASKED) is expected
    assert summarize(seen, ASKED).safe is (expected is not NodeStatus.PENDING and published is not None)


def test_without_a_head_no_node_has_applied_anything() -> None:
    seen = RegistryView(NOW, None, (node(ASKED),), NOW - 10)
    assert status_of(seen.nodes[0], seen, ASKED) is NodeStatus.PENDING
    summary = summarize(seen, ASKED)
    assert (summary.pending, summary.known) == (("n", UNACCOUNTED), False)


@pytest.mark.parametrize(
    ("head", "published", "known"),
    [
        pytest.param({"trusted": False}, NOW - 10, False, id="nobody vouched for this Redis"),
        pytest.param({"waits_after": NOW + 1}, NOW - 10, False, id="leases may have been forgotten"),
        pytest.param({}, None, True, id="the event is not published"),
    ],
)
def test_what_keeps_a_wait_from_succeeding_when_every_node_has_applied(
    head: dict[str, Any], published: int | None, known: bool
) -> None:
    summary = summarize(view(node(ASKED), published=published, **head), ASKED)
    assert (summary.safe, summary.pending, summary.known) == (False, (UNACCOUNTED,), known)
    assert summary.nodes == 1, "who is not accounted for is not counted"


def test_a_wait_may_succeed_in_the_very_moment_at_which_forgotten_leases_have_ended() -> None:
    assert summarize(view(node(ASKED), waits_after=NOW), ASKED).safe


def test_an_empty_fleet_is_safe_once_the_event_is_published() -> None:
    assert summarize(view(), ASKED).safe


def test_nodes_are_counted_by_their_standing() -> None:
    seen = view(node(ASKED), node(ASKED), *(node(1, left=-1) for _ in range(3)), node(1))
    summary = summarize(seen, ASKED)
    assert (summary.applied, summary.fenced, summary.pending, summary.nodes) == (2, 3, ("n",), 6)


def test_a_node_whose_record_cannot_be_read_is_pending_among_the_others() -> None:
    nodes = (replace(node(1), node_id="z"), replace(node(1), node_id="b"))
    summary = summarize(RegistryView(NOW, HEAD, nodes, NOW - 10, unreadable=("m",)), ASKED)
    assert summary.pending == ("b", "m", "z")
