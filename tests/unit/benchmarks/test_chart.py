import re
from xml.etree import ElementTree

import pytest

from benchmarks.chart import Axis, Bar, Group, Line, Scale, bars, decade_ticks, lines, round_ticks, tick_label

LINE = Line("p99 <of> all", "#000", ((1.0, 5.0), (10.0, 50.0)))


@pytest.mark.parametrize(
    ("high", "ticks"),
    [
        (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (78_903, [0, 20_000, 40_000, 60_000, 80_000]),
        (7, [0, 2, 4, 6, 8]),
    ],
)
def test_ticks_are_round_and_reach_the_highest_value(high: float, ticks: list[float]) -> None:
    assert round_ticks(high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.3, 40, [0.2, 0.5, 1, 2, 5, 10, 20, 50]),
        (1, 1, [1, 2]),
        (1, 100_000, [1, 10, 100, 1000, 10_000, 100_000]),
    ],
)
def test_logarithmic_ticks_enclose_the_values(low: float, high: float, ticks: list[float]) -> None:
    found = decade_ticks(low, high)
    assert found[: len(ticks)] == pytest.approx(ticks)
    assert found[0] <= low <= high <= found[-1]


def test_a_logarithmic_scale_gives_each_factor_the_same_distance() -> None:
    scale = Scale(1, 100, 0, 200, logarithmic=True)
    assert [scale.at(value) for value in (0, 1, 10, 100)] == pytest.approx([0, 0, 100, 200])


def test_labels_have_no_digits_that_say_nothing() -> None:
    assert [tick_label(value) for value in (0.0, 0.2, 2.5, 10.0, 100_000.0)] == [
        "0",
        "0.2",
        "2.5",
        "10",
        "100,000",
    ]


def test_a_chart_of_lines_is_well_formed_and_stays_within_its_frame() -> None:
    svg = lines("a & b", "note", [LINE], Axis("x"), Axis("y", logarithmic=True))
    root = ElementTree.fromstring(svg)
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"a & b", "note", "p99 <of> all", "x", "y"} <= set(texts)
    points = re.search(r'points="([^"]+)"', svg)
    assert points is not None
    for x, y in (map(float, point.split(",")) for point in points[1].split()):
        assert 0 < x < float(root.attrib["width"])
        assert 0 < y < float(root.attrib["height"])


def test_bars_are_as_long_as_their_values() -> None:
    group = Group("introspection", tuple(Bar(f"bar {value}", "#123456", value, "") for value in (10.0, 20.0)))
    svg = bars("title", "", [group], Axis("answers"))
    short, long = (float(width) for width in re.findall(r'width="([\d.]+)" height="17" fill="#123456"', svg))
    assert long == pytest.approx(2 * short)


def test_a_chart_without_values_is_an_error() -> None:
    with pytest.raises(ValueError, match="no point"):
        lines("title", "", [], Axis("x"), Axis("y"))
    with pytest.raises(ValueError, match="no bar"):
        bars("title", "", [], Axis("x"))
