"""Claimants: admission, removal, and the return of their memory."""

import pytest

from keyturn_shared.fleet.claimants import RETURNED_TO, ClaimantsView, Order, orders
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import NodeRecord
from keyturn_shared.position import Position

NOW = 1_000_000
EPOCH = 7


def head(opened_ago: int) -> Head:
    return Head(
        position=Position(EPOCH, 3),
        event_id="e",
        complete=True,
        trusted=True,
        lease_ms=10_000,
        margin_ms=1_000,
        waits_after=0,
        opened_at=NOW - opened_ago,
        base_sequence=1,
        stamped_at=NOW,
        replay_barrier=NOW - opened_ago,
        closed_nonce=None,
    )


def node(left_ms: int, *, epoch: int = EPOCH, returned_to: int = 0) -> NodeRecord:
    return NodeRecord("n", NOW + left_ms, NOW, 11_000, Position(epoch, 3), {RETURNED_TO: returned_to})


@pytest.mark.parametrize(
    ("record", "awaited", "opened_ago", "expected"),
    [
        pytest.param(node(1), None, 60_000, Order.ADMIT, id="new and alive"),
        pytest.param(node(0), None, 60_000, None, id="new and expired"),
        pytest.param(node(-1), None, 60_000, None, id="unknown and dead"),
        pytest.param(node(1), False, 60_000, None, id="known and alive"),
        pytest.param(node(0), False, 60_000, Order.FORGET, id="known and expired"),
        pytest.param(None, False, 60_000, Order.FORGET, id="known and gone"),
        pytest.param(None, False, 0, Order.FORGET, id="known and gone in a new epoch"),
        pytest.param(node(1), True, 0, None, id="awaited and not returned"),
        pytest.param(node(1), True, 60_000, None, id="awaited for long but alive"),
        pytest.param(node(1, returned_to=EPOCH), True, 0, Order.RETURNED, id="returned"),
        pytest.param(node(1, returned_to=EPOCH - 1), True, 0, None, id="returned to another epoch"),
        pytest.param(node(1, epoch=EPOCH - 1, returned_to=EPOCH), True, 0, None, id="in another epoch"),
        pytest.param(node(-1, returned_to=EPOCH), True, 60_000, Order.FORGET, id="returned and dead"),
        pytest.param(None, True, 11_000, None, id="awaited within the term"),
        pytest.param(None, True, 11_001, Order.FORGET, id="awaited in vain"),
        pytest.param(node(-1), True, 0, None, id="a record of the process before"),
    ],
)
def test_what_follows_for_a_node(
    record: NodeRecord | None, awaited: bool | None, opened_ago: int, expected: Order | None
) -> None:
    known = {} if awaited is None else {"n": awaited}
    view = ClaimantsView(NOW, "run", head(opened_ago), known, () if record is None else (record,))
    assert orders(view) == ([] if expected is None else [(expected, "n")])


def test_an_empty_redis_asks_for_nothing() -> None:
    assert orders(ClaimantsView(NOW, "run", None, {}, (node(1),))) == []
