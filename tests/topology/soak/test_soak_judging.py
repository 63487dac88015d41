"""Judgement of series: growth is found, and what varies is not taken for it."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.topology.soak.__main__ import report
from tests.topology.soak.judging import HEAD, Flat, judge, rule_of, table, trend_of
from tests.topology.soak.run import Results

_NAME = "verifier-1: RSS"
_SECONDS = range(10, 3601, 10)


def _samples(value: Callable[[float], float], name: str = _NAME) -> list[tuple[float, dict[str, float]]]:
    """Return an hour of samples of a series. The event log grows by an event a second."""
    return [(at, {name: value(at), HEAD: float(at)}) for at in map(float, _SECONDS)]


def _holds(value: Callable[[float], float], name: str = _NAME) -> bool:
    (judged,) = (each for each in judge(_samples(value, name), 600.0) if each.name == name)
    return judged.holds


def test_a_leak_is_found_among_noise() -> None:
    noise = random.Random(1)
    assert not _holds(lambda at: 100 + 12 * at / 3600 + noise.uniform(-3, 3))


@pytest.mark.parametrize(
    "value",
    [
        lambda at: 100.0,
        lambda at: 100 + random.Random(at).uniform(-3, 3),
        lambda at: 100 + at % 300 / 30,  # garbage that is collected now and then
        lambda at: 100 + min(at, 600.0) / 10,  # only while it warms up
        lambda at: 100 - at / 60,
    ],
)
def test_noise_and_a_warm_up_are_no_leak(value: Callable[[float], float]) -> None:
    assert _holds(value)


@pytest.mark.parametrize(
    ("name", "kept", "lost"),
    [
        ("PostgreSQL: table events", lambda at: at / 1024, lambda at: 8 * at / 1024),
        ("PostgreSQL: table clients", lambda at: 1.0, lambda at: 1 + at / 1024),
        ("PostgreSQL: WAL", lambda at: 64 + at % 900, lambda at: at),
        ("Redis: entries of the event log", lambda at: at, lambda at: 2 * at),
        ("Redis: keys", lambda at: 4000.0, lambda at: 4000 + at),
        ("nginx: descriptors", lambda at: 150.0, lambda at: 150 + at / 5),
        ("verifier-1: series of metrics", lambda at: 320 + 16 * (at > 2000), lambda at: 320 + at / 5),
        ("failed requests", lambda at: 0.0, lambda at: float(at == 3600)),
    ],
)
def test_each_kind_of_series_has_its_own_bound(
    name: str, kept: Callable[[float], float], lost: Callable[[float], float]
) -> None:
    assert (_holds(kept, name), _holds(lost, name)) == (True, False)


def test_a_trend_is_the_means_of_two_quarters_and_the_slope_per_hour() -> None:
    trend = trend_of([(900.0 * quarter, 10.0 + quarter) for quarter in range(5)])
    assert (trend.first, trend.last, trend.greatest) == (10.0, 14.0, 14.0)
    assert trend.slope == pytest.approx(4.0)
    assert trend_of([(0.0, 5.0)]).slope == 0.0


def test_a_series_without_a_rule_is_an_error() -> None:
    assert rule_of(_NAME) == Flat(0.05, 8)
    with pytest.raises(LookupError, match="no rule judges humidity"):
        rule_of("humidity")


def test_the_table_names_growth_and_the_run_fails(tmp_path: Path) -> None:
    growing = Results(600.0, _samples(lambda at: 100 + at / 60))
    assert not growing.passed
    assert "NOT FLAT" in table(growing.judgements)
    assert report(growing).endswith("FAILED")
    flat = Results(600.0, _samples(lambda at: 100.0))
    assert flat.passed
    assert "NOT FLAT" not in report(flat)


@pytest.mark.parametrize(
    "fault", [{"wrong": ["a secret was accepted"]}, {"failed": {"sample: ReadTimeout": 1}}]
)
def test_a_wrong_answer_or_a_missing_sample_fails_a_flat_run(fault: dict[str, object]) -> None:
    results = Results(600.0, _samples(lambda at: 100.0))
    vars(results).update(fault)
    assert not results.passed
