"""The matrix: each way to end something at each place that grants access. Pure."""

from collections.abc import Iterable, Iterator
from itertools import islice

from tests.integration.revocation.places import PLACES, Place
from tests.integration.revocation.ways import WAYS, Way

Cell = tuple[Way, Place]


def reason_against(way: Way, place: Place) -> str | None:
    """Return why the way ends nothing there; None if it does, which must be tested. Raises LookupError if the
    data says neither or both."""
    for tag in (place.key, place.use, place.kind):
        if (tag in way.ends) == (tag in way.spares):
            if tag in way.ends:
                raise LookupError(f"{way.key} both ends and spares {tag}")
            continue
        return way.spares.get(tag)
    raise LookupError(f"nothing says what {way.key} does at {place.key}")


def cells_to_test() -> Iterator[Cell]:
    """Yield every cell that is not an exception."""
    for way in WAYS:
        for place in PLACES:
            if reason_against(way, place) is None:
                yield way, place


def half_of(cells: Iterable[Cell], half: int) -> list[Cell]:
    """Return every second cell, beginning with the first (0) or the second one (1)."""
    return list(islice(cells, half, None, 2))


def name_of(way: Way | None, place: Place) -> str:
    """Describe a cell."""
    return f"{way.name if way else 'nothing'} × {place.name}"
