"""Numbers as Grafana writes them, by the unit of a panel."""

import math
from collections.abc import Callable, Mapping
from typing import Final

_SECONDS: Final = (
    (86400.0, "day"),
    (3600.0, "hour"),
    (60.0, "min"),
    (1.0, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
)
_SHORT: Final = ((1e9, "B"), (1e6, "M"), (1e3, "K"))


def written(value: float, unit: str) -> str:
    """Return the value with its unit. Raises KeyError for a unit that no dashboard has."""
    if not math.isfinite(value):
        return str(value)
    return _WRITTEN[unit](value)


def _plain(value: float) -> str:
    return f"{value:.15g}" if value == round(value) else f"{value:.3g}"


def _short(value: float) -> str:
    for size, name in _SHORT:
        if abs(value) >= size:
            return f"{_plain(value / size)} {name}"
    return _plain(value)


def _seconds(value: float) -> str:
    if value == 0:
        return "0 s"
    size, name = next((each for each in _SECONDS if abs(value) >= each[0]), _SECONDS[-1])
    return f"{_plain(value / size)} {name}"


_WRITTEN: Final[Mapping[str, Callable[[float], str]]] = {
    "none": _plain,
    "short": _short,
    "s": _seconds,
    "percentunit": lambda share: f"{_plain(100 * share)}%",
    "reqps": lambda rate: f"{_short(rate)} req/s",
    "ops": lambda rate: f"{_short(rate)} ops/s",
}
