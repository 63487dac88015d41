"""The runner of a sink: what is delivered when, and what is told."""

import asyncio
import logging
from pathlib import Path

import httpx
import pytest

from keyturn import ClientSecret
from keyturn.agent.sinks.delivery import Delivery, Notes, SinkError
from keyturn.agent.sinks.record import Record
from keyturn.agent.sinks.runner import SinkRunner


class EnoughError(Exception):
    """Ends a task that runs for ever."""


class Recorder:
    """Sink that keeps what it gets. ``failures``: raised by the first deliveries."""

    label = "recorder"
    settings = b"{}"
    patience: float | None = None

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.tried: list[Delivery] = []

    async def deliver(self, delivery: Delivery) -> Notes:
        self.tried.append(delivery)
        if self.failures:
            raise self.failures.pop(0)
        return {"version": len(self.tried)}


class Scene:
    def __init__(self, sink: Recorder, directory: Path) -> None:
        self.now = 1000.0
        self.secret = ClientSecret("first")
        self.directory = directory
        self.sink = sink
        self.runner = self.start()

    def start(self) -> SinkRunner:
        return SinkRunner(
            self.sink,
            self.secret,
            Record(self.directory / "record"),
            now=lambda: self.now,
            clock=lambda: self.now,
            sleep=self.sleep,
            jitter=lambda: 1.0,
        )

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now > 1020:
            raise EnoughError

    def times(self) -> list[str]:
        return [each.secret for each in self.sink.tried]


async def test_pauses_grow_and_another_secret_is_tried_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(Recorder(*[SinkError("no")] * 9), tmp_path)
    tried_at: list[float] = []
    deliver = scene.sink.deliver

    async def noting(delivery: Delivery) -> Notes:
        tried_at.append(scene.now - 1000)
        if len(tried_at) == 4:
            scene.secret.use("second")
        return await deliver(delivery)

    scene.sink.deliver = noting  # type: ignore[method-assign]  # it notes the time
    with caplog.at_level(logging.WARNING), pytest.raises(EnoughError):
        await scene.runner.run()
    assert tried_at == [0, 1, 3, 7, 8, 9, 11, 15]
    assert scene.times() == ["first"] * 4 + ["second"] * 4
    assert len({each.id for each in scene.sink.tried}) == 2
    assert {record.getMessage() for record in caplog.records} == {
        "recorder does not have the secret in use: no"
    }


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (SinkError("a reason"), "a reason"),
        (httpx.ReadTimeout("x"), "no answer in time"),
        (httpx.ConnectError("first"), "ConnectError"),
        (TimeoutError(), "no answer in time"),
        (PermissionError(13, "Permission denied", "/run/token"), "/run/token: Permission denied"),
        (OSError("first"), "OSError"),
    ],
)
async def test_only_texts_of_our_own_are_told(tmp_path: Path, failure: Exception, told: str) -> None:
    scene = Scene(Recorder(failure), tmp_path)
    await scene.runner.look()
    assert scene.runner.status.failure == told


async def test_notes_of_the_delivery_before_are_there_for_the_next(tmp_path: Path) -> None:
    scene = Scene(Recorder(), tmp_path)
    await scene.runner.look()
    scene.secret.use("second")
    await scene.start().look()
    assert [each.notes for each in scene.sink.tried] == [{}, {"version": 1}]
    assert "second" not in repr(scene.sink.tried)


async def test_a_secret_that_comes_back_is_delivered_again(tmp_path: Path) -> None:
    scene = Scene(Recorder(), tmp_path)
    for secret in ("first", "second", "first"):
        scene.secret.use(secret)
        await scene.runner.look()
    assert scene.times() == ["first", "second", "first"]


async def test_without_a_record_it_is_delivered_after_every_start_only(tmp_path: Path) -> None:
    scene = Scene(Recorder(), tmp_path / "none")
    for _ in range(2):
        runner = scene.start()
        for _ in range(3):
            await runner.look()
    assert scene.times() == ["first", "first"]


async def test_a_sink_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    class Hanging(Recorder):
        async def deliver(self, delivery: Delivery) -> Notes:
            await asyncio.Event().wait()
            return {}

    hanging, other = Scene(Hanging(), tmp_path / "a"), Scene(Recorder(), tmp_path / "b")
    task = asyncio.create_task(hanging.runner.run())
    await other.runner.look()
    assert other.times() == ["first"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
