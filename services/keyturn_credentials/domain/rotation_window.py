"""The hours in which rotations may begin."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

from keyturn_credentials.errors import InvalidRequestError

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM: Final = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? )?"
    r"(?P<from>[0-2][0-9]:[0-5][0-9])-(?P<to>[0-2][0-9]:[0-5][0-9])"
    r"(?: (?P<zone>[A-Za-z0-9_+/-]{1,64}))?",
    re.IGNORECASE,
)
_MINUTES: Final = 60
_DAY: Final = 24 * _MINUTES


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days of the week in a time zone, by the clock on the wall: daylight saving time moves
    them. ``days``: of the beginning, 0 is Monday. ``first``, ``end``: minutes of the day; an ``end`` not
    after ``first`` is on the next day."""

    days: frozenset[int]
    first: int
    end: int
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """Parse ``[mon[-fri] ]01:00-05:00[ Europe/Berlin]``; all days and UTC if absent. Raises
        InvalidRequestError with the attribute's ``name``."""
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise InvalidRequestError(f"{name} must have the form 'mon-fri 01:00-05:00 Europe/Berlin'")
        return cls(
            _days(match["first"], match["last"], name),
            _minutes(match["from"], name),
            _minutes(match["to"], name),
            _zone(match["zone"] or "UTC", name),
        )

    def is_open(self, now: float) -> bool:
        """Return whether a rotation may begin at ``now`` (NumericDate seconds)."""
        local = datetime.fromtimestamp(now, self.zone)
        minute = local.hour * _MINUTES + local.minute
        yesterday = (local.date() - timedelta(days=1)).weekday()
        if self.first < self.end:
            return local.weekday() in self.days and self.first <= minute < self.end
        return (local.weekday() in self.days and minute >= self.first) or (
            yesterday in self.days and minute < self.end
        )


def _days(first: str | None, last: str | None, name: str) -> frozenset[int]:
    if first is None:
        return frozenset(range(len(_DAYS)))
    begin = _day(first, name)
    end = begin if last is None else _day(last, name)
    return frozenset((begin + step) % len(_DAYS) for step in range((end - begin) % len(_DAYS) + 1))


def _day(text: str, name: str) -> int:
    try:
        return _DAYS.index(text.lower())
    except ValueError:
        raise InvalidRequestError(f"{name}: {text!r} is not one of {', '.join(_DAYS)}") from None


def _minutes(text: str, name: str) -> int:
    hours, minutes = text.split(":")
    total = int(hours) * _MINUTES + int(minutes)
    if total > _DAY:
        raise InvalidRequestError(f"{name}: {text} is not a time of day")
    return total


def _zone(text: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        raise InvalidRequestError(f"{name}: {text!r} is not a time zone") from None
    except KeyError:
        raise InvalidRequestError(f"{name}: {text!r} is not a time zone") from None
