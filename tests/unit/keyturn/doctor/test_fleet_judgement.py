"""Judgement of nodes by their records."""

from dataclasses import replace
from typing import Any

import pytest

from keyturn.doctor.fleet_judgement import Expected, judge_nodes
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import NodeRecord, RegistryView
from keyturn_shared.position import Position

_NOW = 1_000_000
_HEAD = Head.from_hash({"epoch": "5", "sequence": "9", "vouched": "x"}, "x")
EXPECTED = Expected(sequence=9, fleet_key="f1", release="1.2.3")
DETAILS: dict[str, Any] = {"version": "1.2.3", "fleet_keys": ["f1", "f0"], "clock": 999.5, "last_error": None}
NODE = NodeRecord("node", _NOW + 10_000, _NOW - 500, 11_000, Position(5, 9), DETAILS)


def codes(*nodes: NodeRecord, unreadable: tuple[str, ...] = ()) -> list[str]:
    view = RegistryView(_NOW, _HEAD, nodes, None, unreadable)
    return [each.code for each in judge_nodes(view, EXPECTED)]


def with_details(**changed: Any) -> NodeRecord:
    return replace(NODE, details=DETAILS | changed)


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (NODE, []),
        (replace(NODE, details={}), []),
        (replace(NODE, applied=Position(5, 12)), []),
        (replace(NODE, applied=Position(5, 8)), ["node_behind"]),
        (replace(NODE, applied=Position(4, 9)), ["node_behind"]),
        (replace(NODE, expires_at=_NOW - 1), ["node_fenced"]),
        (replace(NODE, expires_at=_NOW - 1, applied=Position(5, 8)), ["node_fenced"]),
        (with_details(serves_stale=True), ["node_serves_stale"]),
        (replace(with_details(serves_stale=True), expires_at=_NOW - 1), ["node_answers_stale"]),
        (with_details(fleet_keys=["f0"]), ["node_other_fleet_key"]),
        (with_details(fleet_keys=None), []),
        (with_details(version="1.2.2"), ["node_other_release"]),
        (with_details(clock=1004.4), []),
        (with_details(clock=1004.6), ["node_clock_differs"]),
        (with_details(clock=994.0), ["node_clock_differs"]),
        (with_details(clock="noon"), []),
    ],
)
def test_a_node(node: NodeRecord, found: list[str]) -> None:
    assert codes(node) == found


def test_a_fleet_without_nodes() -> None:
    assert codes() == ["fleet_empty"]


def test_a_record_that_cannot_be_read_is_a_node_all_the_same() -> None:
    assert codes(unreadable=("x",)) == ["node_record_unreadable"]


def test_a_node_that_is_fenced_gives_its_last_error() -> None:
    node = replace(with_details(last_error="renew: connection refused"), expires_at=_NOW - 1)
    (finding,) = judge_nodes(RegistryView(_NOW, _HEAD, (node,), None), EXPECTED)
    assert "renew: connection refused" in finding.found
