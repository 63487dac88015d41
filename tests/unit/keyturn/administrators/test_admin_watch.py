"""The local stack says once when its administrator's secret stops working, and when it works again."""

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from keyturn.administrators.admin_watch import described, watch_admin
from keyturn.local.data_directory import DataDirectory
from keyturn.local.terminal import Terminal
from keyturn_credentials.administrator_access import Trouble

LOST = ("keyturn-admin", Trouble("has another secret now", by_any_means=False))


async def test_each_turn_is_said_once(tmp_path: Path) -> None:
    seen = iter([None, LOST, LOST, None])

    async def look(directory: DataDirectory) -> tuple[str, Trouble] | None:
        try:
            return next(seen)
        except StopIteration:
            raise asyncio.CancelledError from None

    async def no_sleep(seconds: float) -> None:
        assert seconds > 0

    written = io.StringIO()
    terminal = Terminal(Console(file=written, highlight=False, soft_wrap=True))
    with pytest.raises(asyncio.CancelledError):
        await watch_admin(DataDirectory(tmp_path), terminal, look=look, sleep=no_sleep)
    assert written.getvalue().splitlines() == [
        described(*LOST, tmp_path / "secrets.env"),
        "The first administrator's secret works again.",
    ]


def test_the_command_that_helps_is_named() -> None:
    text = described(*LOST, Path("/data/secrets.env"))
    assert text == (
        "Client keyturn-admin of realm master has another secret now, so its secret in /data/secrets.env does"
        " not work. To get its access back, run keyturn admin recover --data-dir /data"
    )
