"""The fleet's description for people."""

from keyturn_credentials.fleet.view import describe
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import UNACCOUNTED, UNKNOWN, NodeRecord, RegistryView
from keyturn_shared.position import Position

NOW = 1_000_000
HEAD = Head.from_hash(
    {
        "epoch": "3",
        "sequence": "9",
        "vouched": "run",
        "complete": "1",
        "waits_after": str(NOW + 40),
    },
    "run",
)
NODES = (
    NodeRecord("abreast", NOW + 5_000, NOW - 100, 11_000, Position(3, 9), {"zone": "a", "id": "another"}),
    NodeRecord("behind", NOW + 4_000, NOW - 200, 11_000, Position(3, 7)),
    NodeRecord("gone", NOW - 1, NOW - 9_000, 11_000, Position(2, 9)),
)
VIEW = RegistryView(NOW, HEAD, NODES, NOW - 10)


def test_the_fleet_is_shown_towards_the_newest_event() -> None:
    assert describe(VIEW) == {
        "head": 9,
        "epoch": 3,
        "complete": True,
        "trusted": True,
        "sequence": 9,
        "safe": False,
        "waits_settled_in_ms": 40,
        "applied": 1,
        "fenced": 1,
        "pending": ["behind", UNACCOUNTED],
        "nodes": [
            {
                "zone": "a",
                "id": "abreast",
                "applied": 9,
                "epoch": 3,
                "behind": 0,
                "lag_ms": 0,
                "lease": "held",
                "lease_left_ms": 5_000,
                "renewed_ms_ago": 100,
                "standing": "applied",
            },
            {
                "id": "behind",
                "applied": 7,
                "epoch": 3,
                "behind": 2,
                "lag_ms": 200,
                "lease": "held",
                "lease_left_ms": 4_000,
                "renewed_ms_ago": 200,
                "standing": "pending",
            },
            {
                "id": "gone",
                "applied": 9,
                "epoch": 2,
                "behind": 0,
                "lag_ms": 0,
                "lease": "expired",
                "lease_left_ms": 0,
                "renewed_ms_ago": 9_000,
                "standing": "fenced",
            },
        ],
    }


def test_the_fleet_is_shown_towards_the_event_that_was_asked_for() -> None:
    shown = describe(VIEW, 7)
    assert (shown["head"], shown["sequence"], shown["applied"]) == (9, 7, 2)
    assert [node["standing"] for node in shown["nodes"]] == ["applied", "applied", "fenced"]
    judged = describe(VIEW, 7, UNKNOWN)
    assert (judged["safe"], judged["applied"], judged["pending"]) == (False, 0, [UNACCOUNTED])


def test_a_redis_that_holds_nothing_shows_nothing() -> None:
    shown = describe(RegistryView(NOW, None, (), None))
    assert (shown["head"], shown["epoch"], shown["sequence"], shown["waits_settled_in_ms"]) == (0, 0, 0, 0)
    assert (shown["complete"], shown["trusted"], shown["safe"]) == (False, False, False)


def test_a_lease_that_ends_in_this_moment_is_held_no_more() -> None:
    ending = NodeRecord("node", NOW, NOW, 11_000, Position(3, 9))
    [shown] = describe(RegistryView(NOW, HEAD, (ending,), NOW - 10))["nodes"]
    assert (shown["lease"], shown["lease_left_ms"]) == ("expired", 0)
