"""A clock that only the test advances."""


class SetClock:
    """Implements ``keyturn_shared.clock.Clock``: both clocks show ``time``, in seconds."""

    def __init__(self, time: float = 1_000_000.0) -> None:
        self.time = time

    def now(self) -> float:
        return self.time

    def elapsed(self) -> float:
        return self.time
