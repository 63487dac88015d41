"""Later parts of faults that have begun."""

from collections.abc import Callable

from tests.testkit.virtual_loop import VirtualLoop


class Agenda:
    """Later parts of faults. ``left``: how many are still to come."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.left = 0
        self._loop = loop

    def later(self, seconds: float, what: Callable[[], object]) -> None:
        """Do this after so many seconds. It may put further parts on the agenda."""
        self.left += 1
        self._loop.call_later(seconds, self._do, what)

    def _do(self, what: Callable[[], object]) -> None:
        try:
            what()
        finally:
            self.left -= 1
