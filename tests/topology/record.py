"""The record of a run: each request with its kind, times, and what was wrong with its answer."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.testkit.http_client import Answer
from tests.testkit.recording_server import Note, Recorded, RecordingServer

NO_ANSWER: Final = "no answer"
CALLER: Final = "127.0.0.2"
"""Address of the callers: no proxy has it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Judgement of one answer. ``failure``: the kind of a request that failed; ``wrong``: a sentence about an
    answer that must never be given. Both are empty for a right answer."""

    failure: str = ""
    wrong: str = ""


OK: Final = Verdict()
Judge = Callable[[Answer], Verdict]


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. Times are those of ``time.monotonic``."""

    kind: str
    began: float
    ended: float
    verdict: Verdict
    told: str = ""


@dataclass
class Record:
    """``strict``: whether a signed assertion may never be refused. It may where a process dies with the
    request, or Redis loses the marks of used ones: the client signs a new one."""

    samples: list[Sample] = field(default_factory=list)
    strict: bool = True

    def between(self, begun: float, over: float) -> list[Sample]:
        """Return what ended in this time."""
        return [each for each in self.samples if begun <= each.ended < over]

    def note(self, kind: str, wrong: str) -> None:
        """Note a wrong answer that only several requests together show."""
        now = time.monotonic()
        self.samples.append(Sample(kind, now, now, Verdict(wrong=wrong)))


def failures(samples: list[Sample]) -> Counter[str]:
    """Count the failures as ``kind: failure``."""
    return Counter(f"{each.kind}: {each.verdict.failure}" for each in samples if each.verdict.failure)


def by_status(answer: Answer) -> Verdict:
    """Judge an answer to a request with a valid credential: a refusal of the credential is wrong."""
    if answer.status == 401:
        return Verdict(wrong=f"a valid credential was refused: {answer.body[:200]!r}")
    return OK if 200 <= answer.status < 300 else Verdict(failure=str(answer.status))


class JudgedServer(RecordingServer):
    """A server that records every request under one kind, by default judged by status alone."""

    def __init__(self, base_url: str, kind: str, record: Record) -> None:
        super().__init__(base_url, self.noting(by_status), source=CALLER)
        self._kind, self._record = kind, record

    def noting(self, judge: Judge) -> Note:
        """Return what records a request with the judgement of its answer."""

        def note(request: Recorded) -> None:
            verdict, told = Verdict(failure=NO_ANSWER), request.told
            if request.answer is not None:
                verdict = judge(request.answer)
                told = "" if verdict is OK else request.answer.body[:300].decode(errors="replace")
            self._record.samples.append(Sample(self._kind, request.began, request.ended, verdict, told))

        return note
