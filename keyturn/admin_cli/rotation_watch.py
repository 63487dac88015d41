"""``keyturn rotations watch``: a line for each move of a rotation, until it ends."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from keyturn.admin_cli.exits import ExitCode
from keyturn.admin_cli.polling import poll
from keyturn.admin_cli.rendering import Output, time_text

_ENDED: Final = frozenset({"done", "cancelled", "rolled_back", "superseded", "failed"})


def follow(
    read: Callable[[], dict[str, Any]],
    out: Output,
    timeout: float | None,
    *,
    sleep: Callable[[float], None] = time.sleep,
    elapsed: Callable[[], float] = time.monotonic,
) -> ExitCode:
    """Print the moves of a rotation as they are made. ``timeout``: seconds. Return the exit code."""
    ends_at = None if timeout is None else elapsed() + timeout
    before: dict[str, Any] = {}
    for rotation in poll(read, out, sleep=sleep):
        for news in _news(before, rotation):
            if out.as_json:
                out.json(news, indent=None)
            else:
                out.end_progress()
                out.line(_sentence(news))
        before = rotation
        if rotation.get("state") in _ENDED:
            out.end_progress()
            return ExitCode.DONE if rotation["state"] == "done" else ExitCode.FAILED
        out.progress(_waiting(rotation))
        if ends_at is not None and elapsed() >= ends_at:
            out.end_progress()
            out.message(f"keyturn: not done within {timeout:g} s: {_waiting(rotation)}")
            return ExitCode.UNCONFIRMED
    raise AssertionError("polling does not end")


def _news(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from now.get("history", ())[len(before.get("history", ())) :]
    if now.get("alert") and now.get("alert") != before.get("alert"):
        yield {"alert": now["alert"]}
    if now.get("failure") and not before.get("failure"):
        yield {"failure": now["failure"]}
    if bool(now.get("paused")) != bool(before.get("paused")):
        yield {"paused": bool(now.get("paused"))}


def _sentence(news: Mapping[str, Any]) -> str:
    if "alert" in news:
        return f"Alert: {news['alert']}"
    if "failure" in news:
        return f"Failed: {news['failure'].get('detail')}"
    if "paused" in news:
        return "Paused" if news["paused"] else "Resumed"
    sequence = news.get("sequence")
    return f"{time_text(news.get('at'))}  {news.get('state')}{f' (change {sequence})' if sequence else ''}"


def _waiting(rotation: Mapping[str, Any]) -> str:
    return f"{rotation.get('state')}, waits for {rotation.get('waits_for') or 'its next move'}"
