"""Series under which each alert fires, and similar ones under which it does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Series = Mapping[str, str]
"""Values of each series, in Prometheus' notation: one every ten seconds."""


@dataclass(frozen=True, slots=True)
class Case:
    """``fires``: for one alert with these labels and this summary, after this time. ``quiet``: for none."""

    alert: str
    after: str
    fires: Series
    quiet: Series
    summary: str
    labels: Mapping[str, str] = field(default_factory=dict)


_A: Final = '{instance="a"}'
_A_LABELS: Final = {"instance": "a"}
_UP: Final = 'up{job="keyturn-credentials", instance="a"}'

CASES: Final = (
    Case(
        "KeyturnProcessDown",
        "5m",
        {_UP: "1x5 0x60"},
        {_UP: "1x5 0x2 1x60", 'up{job="other", instance="b"}': "0x60"},
        "a (keyturn-credentials) does not answer Prometheus.",
        {"instance": "a", "job": "keyturn-credentials"},
    ),
    Case(
        "KeyturnCredentialsDown",
        "5m",
        {'up{job="keyturn-verifier", instance="a"}': "1x60"},
        {_UP: "1x60", 'up{job="keyturn-credentials", instance="b"}': "0x60"},
        "No credentials process runs: nothing can be changed or revoked, and administrators get no tokens.",
    ),
    Case(
        "KeyturnFleetDown",
        "5m",
        {f"keyturn_node_lease_seconds{_A}": "9x5 0x60"},
        {
            f"keyturn_node_lease_seconds{_A}": "9x5 0x60",
            'keyturn_node_lease_seconds{instance="b"}': "9x60",
        },
        "No verifier node has a lease: every request is refused.",
    ),
    Case(
        "KeyturnNodeFenced",
        "5m",
        {f"keyturn_node_lease_seconds{_A}": "9x5 0x60"},
        {f"keyturn_node_lease_seconds{_A}": "9x5 0x1 9x60"},
        "Node a has no lease and refuses requests.",
        _A_LABELS,
    ),
    Case(
        "KeyturnNodeBehind",
        "5m",
        {f"keyturn_node_position{_A}": "7x60", "keyturn_relay_head": "8x60"},
        # A log that grows by ten events a second is never quite applied at the time of a scrape.
        {f"keyturn_node_position{_A}": "0+100x60", "keyturn_relay_head": "40+100x60"},
        "Node a has not applied events that were published more than 30 s ago.",
        _A_LABELS,
    ),
    Case(
        "KeyturnWaitsPending",
        "15m",
        {
            'keyturn_fleet_wait_seconds_count{outcome="applied"}': "0+9x100",
            'keyturn_fleet_wait_seconds_count{outcome="pending"}': "0+1x100",
            'keyturn_fleet_wait_seconds_count{outcome="unknown"}': "0x100",
        },
        {
            'keyturn_fleet_wait_seconds_count{outcome="applied"}': "0+99x100",
            'keyturn_fleet_wait_seconds_count{outcome="pending"}': "0+1x100",
        },
        "10% of changes return before every node has applied them.",
    ),
    Case(
        "KeyturnPropagationSlow",
        "20m",
        {
            'keyturn_fleet_wait_seconds_bucket{outcome="applied", le="1.0"}': "0x200",
            'keyturn_fleet_wait_seconds_bucket{outcome="applied", le="2.0"}': "0+100x200",
            'keyturn_fleet_wait_seconds_bucket{outcome="applied", le="+Inf"}': "0+100x200",
        },
        {
            'keyturn_fleet_wait_seconds_bucket{outcome="applied", le="1.0"}': "0+100x200",
            'keyturn_fleet_wait_seconds_bucket{outcome="applied", le="+Inf"}': "0+100x200",
            'keyturn_fleet_wait_seconds_bucket{outcome="pending", le="1.0"}': "0x200",
            'keyturn_fleet_wait_seconds_bucket{outcome="pending", le="+Inf"}': "0+100x200",
        },
        "Changes take 1.99s to reach every node (99th percentile).",
    ),
    Case(
        "KeyturnStaleAnswers",
        "5m",
        {f"keyturn_node_stale_answers_total{_A}": "0x20 1x60"},
        {f"keyturn_node_stale_answers_total{_A}": "7x60"},
        "Node a answers without a lease: revocations may reach it late.",
        _A_LABELS,
    ),
    Case(
        "KeyturnEntriesForged",
        "5m",
        {'keyturn_node_forged_total{instance="a", kind="event"}': "0x20 1x60"},
        {'keyturn_node_forged_total{instance="a", kind="event"}': "1x60"},
        "Node a found data (event) in Redis that the log's keys did not sign.",
        {"instance": "a", "kind": "event"},
    ),
    Case(
        "KeyturnNoRelay",
        "5m",
        {f"keyturn_relay_active{_A}": "1x5 0x60", 'keyturn_relay_active{instance="b"}': "0x60"},
        {f"keyturn_relay_active{_A}": "1x5 0x60", 'keyturn_relay_active{instance="b"}': "0x7 1x60"},
        "0 processes relay instead of one: changes may not reach the nodes.",
    ),
    Case(
        "KeyturnOutboxBacklog",
        "5m",
        {
            f"keyturn_committed_sequence{_A}": "4x5 5x60",
            f"keyturn_relay_head{_A}": "0x60",
            'keyturn_relay_head{instance="b"}': "4x60",
        },
        {f"keyturn_committed_sequence{_A}": "0+10x60", 'keyturn_relay_head{instance="b"}': "0+10x60"},
        "Changes that were committed more than 30 s ago are not published.",
    ),
    Case(
        "KeyturnEpochsRepeat",
        "30m",
        {f"keyturn_node_epoch{_A}": "1x10 2x10 3x10 4x10 5x200"},
        {f"keyturn_node_epoch{_A}": "1x10 2x200"},
        "Redis was lost or replaced 4 times within an hour.",
    ),
    Case(
        "KeyturnTaskEnded",
        "1m",
        {'keyturn_task_running{instance="a", task="relay"}': "1x3 0x60"},
        {'keyturn_task_running{instance="a", task="relay"}': "1x60"},
        "Task relay of a has ended: the process is about to restart.",
        {"instance": "a", "task": "relay"},
    ),
    Case(
        "KeyturnTaskFailing",
        "18m",
        {
            'keyturn_task_failures_total{instance="a", task="relay"}': "0+1x200",
            'keyturn_task_runs_total{instance="a", task="relay"}': "9x200",
        },
        {
            'keyturn_task_failures_total{instance="a", task="relay"}': "0+1x200",
            'keyturn_task_runs_total{instance="a", task="relay"}': "0+1x200",
            # One failure at the start, of a task that has since finished its work.
            'keyturn_task_failures_total{instance="a", task="signing"}': "0x50 1x200",
            'keyturn_task_runs_total{instance="a", task="signing"}': "1x200",
        },
        "Task relay of a keeps failing.",
        {"instance": "a", "task": "relay"},
    ),
    Case(
        "KeyturnRedisUnreachable",
        "5m",
        {'keyturn_node_renewals_total{instance="a", outcome="failed"}': "0+5x60"},
        {
            'keyturn_node_renewals_total{instance="a", outcome="failed"}': "0x10 1x60",
            'keyturn_node_renewals_total{instance="a", outcome="renewed"}': "0+10x60",
        },
        "Node a cannot renew its lease in Redis.",
        {"instance": "a", "outcome": "failed"},
    ),
    Case(
        "KeyturnRedisSettingWrong",
        "10m",
        {'keyturn_redis_setting_wrong{instance="a", setting="appendonly"}': "1x100"},
        {'keyturn_redis_setting_wrong{instance="a", setting="appendonly"}': "0x100"},
        "Redis' setting appendonly is not as keyturn needs it.",
        {"setting": "appendonly"},
    ),
    Case(
        "KeyturnRedisSettingsHidden",
        "30m",
        {f"keyturn_redis_settings_readable{_A}": "0x200"},
        {f"keyturn_redis_settings_readable{_A}": "1x200"},
        "Redis does not show its settings, so they are not checked.",
    ),
)
