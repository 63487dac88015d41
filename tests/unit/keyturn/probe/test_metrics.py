"""Metrics of rounds, whose series are there from the start."""

import math

from prometheus_client import CollectorRegistry

from keyturn.admin_cli.exits import ExitCode
from keyturn.admin_cli.fleet_answer import FleetAnswer
from keyturn.probe.judgement import Answer, Check, CheckName, Observation, Place, Round, Trouble, judge
from keyturn.probe.metrics import ProbeMetrics

FLEET = FleetAnswer(True, nodes=1, applied=1)
REFUSED = Observation("a", Place.TOKEN, Answer.REFUSED, refused_after=0.025)
HELD = Round((Check(CheckName.SECRET, FLEET, 0.012, (REFUSED,)),), fleet_nodes=1)
BROKEN = Round(
    (Check(CheckName.TOKENS, FLEET, 0.012, (Observation("a", Place.VERIFY, Answer.ACCEPTED),)),), 1
)
AWAY = Round(trouble=Trouble("away", ExitCode.UNREACHABLE))


def metrics() -> tuple[ProbeMetrics, CollectorRegistry]:
    registry = CollectorRegistry()
    return ProbeMetrics(registry), registry


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    found = registry.get_sample_value(f"keyturn_probe_{name}", labels)
    assert found is not None, name
    return found


def test_before_the_first_round_nothing_is_claimed() -> None:
    _, registry = metrics()
    assert math.isnan(value(registry, "promise_held"))
    assert value(registry, "last_held_timestamp_seconds") == 0
    assert value(registry, "broken_total", check="secret") == 0
    assert value(registry, "rounds_total", result="broken") == 0


def test_a_round_that_held_is_counted_with_its_times() -> None:
    noted, registry = metrics()
    noted.note(HELD, judge(HELD), 77.0)
    assert value(registry, "promise_held") == 1
    assert value(registry, "last_held_timestamp_seconds") == 77
    assert value(registry, "rounds_total", result="held") == 1
    assert value(registry, "effect_seconds_sum", check="secret") == 0.025
    assert value(registry, "call_seconds_count", check="secret") == 1
    assert value(registry, "nodes", state="reached") == 1
    assert value(registry, "nodes", state="fleet") == 1


def test_a_broken_promise_stays_until_a_round_held_again() -> None:
    noted, registry = metrics()
    noted.note(BROKEN, judge(BROKEN), 1.0)
    noted.note(AWAY, judge(AWAY), 2.0)
    assert value(registry, "promise_held") == 0
    assert value(registry, "broken_total", check="tokens") == 1
    assert value(registry, "effect_seconds_count", check="tokens") == 0
    assert math.isnan(value(registry, "nodes", state="fleet"))
    noted.note(HELD, judge(HELD), 3.0)
    assert value(registry, "promise_held") == 1
