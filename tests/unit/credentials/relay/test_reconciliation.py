"""Decisions of a relay about the Redis it finds, case by case; the first match counts."""

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.reconciliation import (
    REASONS,
    Action,
    Comparison,
    belongs_together,
    decide,
    next_epoch,
)
from keyturn_shared.fleet.head import Head
from keyturn_shared.position import Position

EPOCH = 7
HEAD = Head(
    position=Position(EPOCH, 9),
    event_id="nine",
    complete=True,
    trusted=True,
    lease_ms=10_000,
    margin_ms=1_000,
    waits_after=0,
    opened_at=0,
    base_sequence=1,
    stamped_at=0,
    replay_barrier=0,
    closed_nonce=None,
)


def seen(head: dict[str, Any] | None = None, **changes: Any) -> Comparison:
    whole = Comparison(replace(HEAD, **(head or {})), FleetState(EPOCH), 9, "nine", is_signed=True)
    return replace(whole, **changes)


_CLOSED = {"trusted": False, "closed_nonce": "n"}

CASES = [
    (seen(), Action.CONTINUE, ""),
    (seen(newest=12), Action.CONTINUE, ""),
    (replace(seen(), head=None), Action.OPEN, "redis_empty"),
    (seen(state=FleetState(EPOCH + 1)), Action.OPEN, "redis_older_than_database"),
    (seen(state=FleetState(EPOCH - 1)), Action.OPEN, "database_older_than_redis"),
    (seen(head_event_id="another"), Action.OPEN, "database_restored"),
    (seen(head_event_id=None), Action.OPEN, "database_restored"),
    (seen(has_latest=False), Action.OPEN, "database_restored"),
    (seen(is_signed=False), Action.OPEN, "signing_key_changed"),
    (seen({"complete": False}), Action.OPEN, "filling_interrupted"),
    (seen({"complete": False, "trusted": False}), Action.OPEN, "filling_interrupted"),
    (seen(loss="projections_lost"), Action.OPEN, "projections_lost"),
    (seen({"trusted": False}, loss="projections_lost"), Action.OPEN, "projections_lost"),
    (seen(loss="event_lost"), Action.OPEN, "event_lost"),
    (seen({"trusted": False}, loss="event_lost"), Action.OPEN, "event_lost"),
    (seen({"trusted": False}), Action.CARRY_OVER, "redis_restarted"),
    (seen({"trusted": False}, newest=10), Action.OPEN, "redis_behind_after_restart"),
    (seen(_CLOSED, state=FleetState(EPOCH, "n"), newest=10), Action.CARRY_OVER, "redis_restarted"),
    (seen(_CLOSED, state=FleetState(EPOCH, "m"), newest=10), Action.OPEN, "redis_behind_after_restart"),
    (seen(_CLOSED, state=FleetState(EPOCH, None), newest=10), Action.OPEN, "redis_behind_after_restart"),
    (
        seen({"trusted": False}, state=FleetState(EPOCH, "n"), newest=10),
        Action.OPEN,
        "redis_behind_after_restart",
    ),
    (seen({"event_id": "", "position": Position(EPOCH, 0)}, head_event_id=None), Action.CONTINUE, ""),
]


@pytest.mark.parametrize(
    ("comparison", "action", "reason"), CASES, ids=[f"{n}-{case[2]}" for n, case in enumerate(CASES)]
)
def test_what_follows_from_a_comparison(comparison: Comparison, action: Action, reason: str) -> None:
    decision = decide(comparison)
    assert (decision.action, decision.reason) == (action, reason)
    assert action is Action.CONTINUE or reason in REASONS


def test_a_first_epoch_for_any_reason_and_a_first_failure_are_increases() -> None:
    registry = CollectorRegistry()
    RelayMetrics(registry)
    for reason in REASONS:
        assert registry.get_sample_value("keyturn_relay_epochs_total", {"reason": reason}) == 0.0
    for cause in ("RedisUnavailableError", "StoreUnavailableError"):
        assert registry.get_sample_value("keyturn_relay_failures_total", {"cause": cause}) == 0.0


@pytest.mark.parametrize(
    ("state", "event_id", "expected"),
    [
        (FleetState(EPOCH), "nine", True),
        (FleetState(EPOCH), "another", False),
        (FleetState(EPOCH), None, False),
        (FleetState(EPOCH + 1), "nine", False),
        (FleetState(EPOCH - 1), "nine", False),
    ],
)
def test_redis_is_about_a_log_that_has_its_newest_event_in_the_newest_epoch(
    state: FleetState, event_id: str | None, expected: bool
) -> None:
    assert belongs_together(HEAD, state, event_id) is expected


@pytest.mark.parametrize(
    ("state", "redis", "now", "expected"),
    [(5, 3, 0.001, 6), (3, 5, 0.001, 6), (3, 5, 1.5, 1500), (1500, 3, 1.5, 1501), (0, 0, 0.0, 1)],
)
def test_a_new_epoch_is_newer_than_any_and_never_less_than_the_clock(
    state: int, redis: int, now: float, expected: int
) -> None:
    assert next_epoch(FleetState(state), redis, now) == expected
