"""Rounds for ever, or one."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Protocol

from keyturn.probe.judgement import Result, Round, Trouble, Verdict, judge
from keyturn_shared.runtime.backoff import Backoff

LONGEST_PAUSE: Final = 60.0
"""Longest pause in seconds after failures, unless the interval is longer."""
SECONDS_FOR_EACH_NODE: Final = 1.5
"""Each round lets a node refuse two authentications, of 100 that the whole fleet allows the prober in a
minute."""
_UNJUDGED: Final = (Result.FAILED, Result.UNCONFIRMED, Result.UNREACHABLE)

Note = Callable[[Round, Verdict, float], None]
"""Gets each round with its verdict and the time of its end."""


class RunsRounds(Protocol):
    """A prober."""

    def round(self) -> Round: ...


class StoppedError(BaseException):
    """SIGTERM or SIGINT. No handler of errors takes it for one."""


def run_once(prober: RunsRounds, note: Note, *, now: Callable[[], float] = time.time) -> int:
    """Run one round. Return its exit code."""
    return _round(prober, note, now).exit_code


def run_for_ever(
    prober: RunsRounds,
    note: Note,
    *,
    interval: float,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
    jitter: Callable[[], float] = random.random,
) -> None:
    """Run a round every ``interval`` seconds, counted from the end of the one before. After rounds without a
    verdict, the pauses grow."""
    backoff = Backoff(first=2 * interval, longest=max(interval, LONGEST_PAUSE))
    in_a_row = 0
    while True:
        verdict = _round(prober, note, now)
        in_a_row = in_a_row + 1 if verdict.result in _UNJUDGED else 0
        nodes = len(verdict.reached) + len(verdict.unreached)
        pause = max(interval, SECONDS_FOR_EACH_NODE * nodes)
        sleep(max(pause, backoff.seconds(in_a_row, jitter())) if in_a_row else pause)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """End the work inside at SIGTERM and SIGINT, wherever it is."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise StoppedError

    former = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except StoppedError:
        return
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _round(prober: RunsRounds, note: Note, now: Callable[[], float]) -> Verdict:
    """Run a round, and survive every error of it."""
    try:
        seen = prober.round()
        verdict = judge(seen)
    except Exception as error:  # noqa: BLE001 - the prober must go on; the text might quote a response
        seen = Round(trouble=Trouble(f"the round failed unexpectedly: {type(error).__name__}"))
        verdict = judge(seen)
    note(seen, verdict, now())
    return verdict
