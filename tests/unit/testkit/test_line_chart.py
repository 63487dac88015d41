"""Line charts: what is joined, what is stacked, and which values stand beside the lines."""

from tests.testkit.line_chart import Axes, Line, legend, pieces, plot, stack, ticks

_NAN = float("nan")


def _axes(*, least: float | None = None) -> Axes:
    return Axes(
        width=500,
        height=200,
        start=0.0,
        end=10.0,
        time_label=lambda at: f"{at:g} s",
        value_label=lambda value: f"{value:g} B",
        longest_gap=2.0,
        least=least,
    )


def test_a_line_ends_at_a_gap_and_at_a_value_that_is_none() -> None:
    points = [(0.0, 1.0), (1.0, 2.0), (2.0, _NAN), (5.0, 3.0)]
    assert list(pieces(points, 2.0)) == [[(0.0, 1.0), (1.0, 2.0)], [(5.0, 3.0)]]
    assert list(pieces([(0.0, _NAN)], 2.0)) == []


def test_a_stacked_line_begins_at_the_sum_of_those_before_it() -> None:
    lines = [Line("a", [(0.0, 1.0), (1.0, 1.0)]), Line("b", [(1.0, 2.0)])]
    below, above = stack(lines)
    assert [line.points for line in below] == [[(0.0, 0.0), (1.0, 0.0)], [(1.0, 1.0)]]
    assert [line.points for line in above] == [[(0.0, 1.0), (1.0, 1.0)], [(1.0, 3.0)]]


def test_ticks_are_round() -> None:
    assert ticks(0.0, 1.0, 5) == [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
    assert ticks(3.0, 97.0, 5) == [20.0, 40.0, 60.0, 80.0]


def test_a_chart_has_its_labels_lines_and_events() -> None:
    drawn = plot([Line("a", [(0.0, 4.0), (1.0, 5.0)])], _axes(least=0.0))
    assert all(f">{text}</text>" in drawn for text in ("0 s", "10 s", "0 B", "5 B"))
    assert drawn.count("<polyline") == 1
    assert legend([Line("a <b>", ())]).count("a &lt;b&gt;") == 1


def test_a_chart_without_values_or_with_zeros_alone_can_be_drawn() -> None:
    assert "0 B" in plot([], _axes(least=0.0))
    assert "1 B" in plot([Line("a", [(0.0, 0.0)])], _axes(least=0.0))
