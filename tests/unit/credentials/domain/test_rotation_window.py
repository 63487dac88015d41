"""The hours in which rotations may begin, by the clock on the wall."""

from datetime import UTC, datetime

import pytest

from keyturn_credentials.domain.rotation_window import Window
from keyturn_credentials.errors import InvalidRequestError


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("window", "when", "is_open"),
    [
        ("01:00-05:00", "2026-11-30T00:59:59", False),
        ("01:00-05:00", "2026-11-30T01:00:00", True),
        ("01:00-05:00", "2026-11-30T05:00:00", False),
        ("mon-fri 01:00-05:00", "2026-11-29T02:00:00", False),  # a Sunday
        ("Mon-Fri 01:00-05:00", "2026-11-30T02:00:00", True),
        ("sat-mon 01:00-05:00", "2026-11-30T02:00:00", True),
        ("sat-mon 01:00-05:00", "2026-12-01T02:00:00", False),
        ("sun 22:00-02:00", "2026-11-29T23:00:00", True),
        ("sun 22:00-02:00", "2026-11-30T01:59:00", True),  # still the night of Sunday
        ("sun 22:00-02:00", "2026-11-29T01:00:00", False),
        ("00:00-24:00", "2026-11-30T12:00:00", True),
        # 02:30 in Berlin is 00:30 UTC in summer and 01:30 UTC in winter.
        ("02:00-03:00 Europe/Berlin", "2026-07-01T00:30:00", True),
        ("02:00-03:00 Europe/Berlin", "2026-12-01T00:30:00", False),
        ("02:00-03:00 Europe/Berlin", "2026-12-01T01:30:00", True),
    ],
)
def test_it_is_open_at_these_hours(window: str, when: str, *, is_open: bool) -> None:
    assert Window.parse(window, "window").is_open(at(when)) is is_open


def test_an_hour_that_summer_time_leaves_out_is_not_waited_for_on_other_days() -> None:
    """On 2026-03-29 the clocks in Berlin go from 02:00 to 03:00."""
    window = Window.parse("02:00-03:00 Europe/Berlin", "window")
    night = [at("2026-03-29T00:00:00") + 600 * step for step in range(12)]
    assert not any(window.is_open(now) for now in night)
    assert window.is_open(at("2026-03-30T00:30:00"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "night", "1:00-5:00", "25:00-26:00", "24:01-24:30", "foo 01:00-05:00", "mon-foo 01:00-05:00"),
        *("01:00-05:00 Mars/Olympus", "01:00-05:00 ../../etc/passwd", "01:00-05:00 /etc/passwd", "mon-fri"),
    ],
)
def test_anything_else_is_refused_with_the_name_of_the_attribute(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="the-attribute"):
        Window.parse(text, "the-attribute")
