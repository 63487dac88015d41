"""The lowest acceptable sequence of each projection, so that a change cannot be undone by an old value."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from keyturn_shared.signed_log.errors import OutdatedError

MAX_FLOORS: Final = 100_000
"""Number of fields remembered, the latest changed. A change before these could be undone."""


class Floors:
    """Raised by every applied event; kept across epochs, as long as the log continues."""

    def __init__(self, most: int = MAX_FLOORS) -> None:
        self._most = most
        self._floors: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._floors)

    def raise_to(self, fields: Iterable[str], sequence: int) -> None:
        for field in fields:
            self._floors[field] = sequence
            self._floors.move_to_end(field)
        while len(self._floors) > self._most:
            self._floors.popitem(last=False)

    def require(self, field: str, sequence: int) -> None:
        """Raise OutdatedError if a newer version of this field's projection is known."""
        if sequence < self._floors.get(field, 0):
            raise OutdatedError(f"{field} is of {sequence}, and was changed by {self._floors[field]}")

    def clear(self) -> None:
        """Forget everything: the log is another one, or was set back."""
        self._floors.clear()
