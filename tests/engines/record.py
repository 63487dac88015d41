"""The record of a run: each request with its kind, times and status."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tests.testkit.recording_server import Recorded, RecordingServer

NO_ANSWER: Final = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. ``status``: ``NO_ANSWER`` if there was none."""

    kind: str
    began: float
    ended: float
    status: int

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Record:
    """Times are those of ``time.monotonic``. ``violations``: what must never happen, in words."""

    samples: list[Sample] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def between(self, begun: float, over: float) -> list[Sample]:
        """Return what ended after ``begun`` and began before ``over``."""
        return [each for each in self.samples if each.ended > begun and each.began < over]


def of_kind(samples: Iterable[Sample], kind: str) -> list[Sample]:
    return sorted((each for each in samples if each.kind == kind), key=lambda each: each.began)


def statuses(samples: Iterable[Sample]) -> Counter[int]:
    return Counter(each.status for each in samples)


def refusals(samples: Iterable[Sample]) -> list[float]:
    """Return the durations, each from the start of a refused request until an accepted one that began later.
    Without a later accepted request, it lasts until the end of the last request."""
    found, since, last = [], None, 0.0
    for sample in sorted(samples, key=lambda each: each.began):
        last = max(last, sample.ended)
        if not sample.accepted:
            since = sample.began if since is None else since
        elif since is not None:
            found.append(sample.ended - since)
            since = None
    return found if since is None else [*found, last - since]


def recording(base_url: str, kind: str, record: Record) -> RecordingServer:
    """Return a server that records every request under one kind."""

    def note(request: Recorded) -> None:
        status = NO_ANSWER if request.answer is None else request.answer.status
        record.samples.append(Sample(kind, request.began, request.ended, status))

    return RecordingServer(base_url, note)
