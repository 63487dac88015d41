"""A command that is killed at any moment leaves the old state or the new one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keyturn_credentials.settings import CredentialsSettings
from tests.conformance.store.backup.conftest import (
    OF_THE_FLEET,
    back_up,
    contents_now,
    contents_of_file,
    octets_of,
    put,
    restore,
)
from tests.conformance.store.conftest import ACTOR, Instance, instance_of
from tests.testkit.credentials_process import environment
from tests.testkit.database_filling import fill

CLIENTS = 600
SHARES = (0.6, 0.9)
"""Moments at which a command is killed, as shares of the time that it takes."""


def command(settings: CredentialsSettings, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "keyturn", *words],
        env=environment(settings, 1),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def whole_run(settings: CredentialsSettings, *words: str) -> float:
    """Run a command to its end; return the seconds that it took."""
    started = time.monotonic()
    output, _ = (process := command(settings, *words)).communicate()
    assert process.returncode == 0, output.decode()
    return time.monotonic() - started


def killed_run(settings: CredentialsSettings, seconds: float, *words: str) -> None:
    with command(settings, *words) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return tmp_path / "old.backup"


@pytest.mark.timeout(900)
async def test_a_killed_restoration_leaves_the_old_database_or_the_new_one(
    instance: Instance, file: Path, old: Path
) -> None:
    settings = instance.settings
    await instance.operations.realms.create(ACTOR, {"realm": "old"})
    await back_up(settings, old)
    await fill(settings, CLIENTS)
    await back_up(settings, file)
    await instance.database.close()
    words = ("restore", str(file), "--replace")
    seconds = whole_run(settings, *words)
    for share in SHARES:
        await restore(settings, old, replace=True)
        before = await contents_now(settings)
        killed_run(settings, share * seconds, *words)
        after = await contents_now(settings, without=OF_THE_FLEET)
        old_rows = {name: rows for name, rows in before.items() if name not in OF_THE_FLEET}
        assert after in (old_rows, contents_of_file(file, without=OF_THE_FLEET))
    await restore(settings, file, replace=True)
    other = instance_of(settings)
    await other.operations.realms.create(ACTOR, {"realm": "goes-on"})
    await other.database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.timeout(900)
async def test_a_killed_backup_leaves_the_former_file_or_the_new_one(instance: Instance, file: Path) -> None:
    settings = instance.settings
    await fill(settings, CLIENTS)
    seconds = whole_run(settings, "backup", str(file))
    whole = contents_of_file(file)
    for share in SHARES:
        put(file, b"former")
        killed_run(settings, share * seconds, "backup", "--force", str(file))
        assert octets_of(file) == b"former" or contents_of_file(file) == whole
    whole_run(settings, "backup", "--force", str(file))
    assert contents_of_file(file) == whole
    await restore(settings.model_copy(update={"database_url": f"{settings.database_url}.2"}), file)
