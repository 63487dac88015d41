"""The fleet's state: what is shown, and when it is shown again."""

from keyturn.admin_cli.fleet import answer_of, essence
from keyturn.admin_cli.fleet_answer import FleetAnswer

NODE = {"id": "node-1", "applied": 7, "lease": "held", "lease_left_ms": 9000}
FLEET = {"head": 7, "safe": True, "trusted": True, "applied": 1, "fenced": 0, "pending": [], "nodes": [NODE]}


def test_times_are_no_reason_to_show_it_again() -> None:
    later = {**FLEET, "waits_settled_in_ms": 1, "nodes": [{**NODE, "lease_left_ms": 8000}]}
    assert essence(later) == essence(FLEET)
    assert essence({**FLEET, "head": 8}) != essence(FLEET)
    assert essence({**FLEET, "nodes": [{**NODE, "lease": "expired"}]}) != essence(FLEET)


def test_the_nodes_answer_is_that_of_a_change() -> None:
    assert answer_of(FLEET) == FleetAnswer(True, 1, 1, 0, 0)
    assert answer_of({**FLEET, "applied": 0, "pending": ["node-1"]}) == FleetAnswer(True, 1, 0, 0, 1)
