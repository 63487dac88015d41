"""The network between processes: it delays, reorders, loses, and cuts connections."""

import random
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from tests.testkit.simulated_process import Process
from tests.testkit.virtual_loop import VirtualLoop

_NOBODY = copy_context()
"""A message belongs to no process: it arrives even if its sender is stopped or dead."""


class NoAnswerError(Exception):
    """The connection broke, or the time limit passed. The request may take effect nevertheless."""


@dataclass
class Weather:
    """Quality of the network. Probabilities are per message, times in seconds."""

    usual_delay: float = 0.001
    slow: float = 0.0
    slowest: float = 4.0
    lost: float = 0.0
    cut: float = 0.0

    def calm(self) -> None:
        self.usual_delay, self.slow, self.lost, self.cut = 0.001, 0.0, 0.0, 0.0


class Network:
    """Draws the fate of every message."""

    def __init__(
        self, loop: VirtualLoop, draw: random.Random, weather: Weather, trace: Callable[[str], None]
    ) -> None:
        self.loop = loop
        self.weather = weather
        self.trace = trace
        self._random = draw.random
        self._exponential = draw.expovariate

    def delay(self) -> float:
        """Draw the delay of one message: usually about a millisecond, sometimes longer than any time
        limit."""
        if self._random() < self.weather.slow:
            return self._random() * self.weather.slowest
        return self.weather.usual_delay * (0.2 + self._exponential(1.0))

    def loses(self) -> bool:
        return self._random() < self.weather.lost

    def cuts(self) -> bool:
        return self._random() < self.weather.cut

    async def converse(
        self, process: Process, steps: Sequence[Callable[[], Any]], *, limit: float
    ) -> list[Any]:
        """Run steps at the other side one after the other, possibly interleaved with others. Return their
        results. Raises NoAnswerError, and a step's errors."""
        answer = self.loop.create_future()
        timer = self.loop.call_later(limit, _fail, answer, NoAnswerError("no answer in time"))
        if self.cuts():
            self._deliver(process, answer, NoAnswerError("cut"))
        elif not self.loses():
            exchange = _Exchange(self, process, steps, answer)
            self.loop.call_later(self.delay(), exchange.arrive, context=_NOBODY)
        try:
            result: list[Any] = await answer
            return result
        finally:
            timer.cancel()

    def _deliver(self, process: Process, answer: Any, result: list[Any] | Exception) -> None:
        if self.loses():
            return
        if isinstance(result, Exception):
            self.loop.call_later(self.delay(), _fail, answer, result, context=process.context)
        else:
            self.loop.call_later(self.delay(), _succeed, answer, result, context=process.context)


class _Exchange:
    """One conversation in progress."""

    __slots__ = ("_answer", "_network", "_process", "_results", "_steps")

    def __init__(self, network: Network, process: Process, steps: Sequence[Callable[[], Any]], answer: Any):
        self._network = network
        self._process = process
        self._steps = steps
        self._answer = answer
        self._results: list[Any] = []

    def arrive(self) -> None:
        network = self._network
        try:
            self._results.append(self._steps[len(self._results)]())
        except Exception as error:  # noqa: BLE001 - any error is the other side's answer
            network._deliver(self._process, self._answer, error)
            return
        if len(self._results) == len(self._steps):
            network._deliver(self._process, self._answer, self._results)
        elif network.cuts():
            network._deliver(self._process, self._answer, NoAnswerError("cut between two commands"))
        else:
            network.loop.call_later(network.weather.usual_delay * 0.1, self.arrive, context=_NOBODY)


def _fail(answer: Any, error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _succeed(answer: Any, result: list[Any]) -> None:
    if not answer.done():
        answer.set_result(result)
