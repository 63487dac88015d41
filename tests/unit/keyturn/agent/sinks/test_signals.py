"""Signals to the process of a pid file."""

import logging
import os
from pathlib import Path

import pytest

from keyturn.agent.sinks.signals import send_signal


@pytest.mark.parametrize("content", [None, "", "0", "1", "-1", "-4", "12a", "²", "99999999999999", "\xff"])
def test_only_the_id_of_a_process_gets_a_signal(
    tmp_path: Path, content: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: sent.append(pid))
    path = tmp_path / "pid"
    if content is not None:
        path.write_text(content)
    with caplog.at_level(logging.WARNING):
        send_signal("HUP", str(path))
    assert sent == []
    assert "SIGHUP is not sent" in caplog.text


def test_a_process_that_is_gone_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "pid").write_text(str(2**22 + 1))  # beyond the ids that Linux gives
    send_signal("HUP", str(tmp_path / "pid"))
    assert "No such process" in caplog.text
