"""The data directory of a local stack."""

import fcntl
import os
from pathlib import Path

import pytest

from keyturn.local.data_directory import DataDirectory
from keyturn.local.errors import StackError


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "a" / "data")
    directory.prepare()
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert set(directory.path.iterdir()) == {directory.logs, directory.gateway}


def test_a_place_that_cannot_be_written_to_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(StackError, match=r"file/data cannot be written to: Not a directory"):
        DataDirectory(tmp_path / "file" / "data").prepare()
    assert (tmp_path / "file").read_text() == "kept"


def test_a_second_stack_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with directory.lock(), pytest.raises(StackError, match=f"process {os.getpid()}"), directory.lock():
        pass


def test_the_directory_is_free_again_after_the_stack(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    for _ in range(2):
        with directory.lock():
            assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_what_a_killed_stack_left_running_is_waited_for(tmp_path: Path) -> None:
    """A killed stack's children hold its lock a little longer than the stack itself."""
    holder = (tmp_path / "lock").open("w")
    holder.write(str(_ended_process()))
    holder.flush()
    fcntl.flock(holder, fcntl.LOCK_EX)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            holder.close()

    with DataDirectory(tmp_path).lock(pause=pause):
        assert len(pauses) == 3


def test_what_a_killed_stack_left_running_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as holder:
        holder.write(str(_ended_process()))
        holder.flush()
        fcntl.flock(holder, fcntl.LOCK_EX)
        moments = iter(range(100))
        directory = DataDirectory(tmp_path)
        with (
            pytest.raises(StackError, match="killed stack are still using"),
            directory.lock(leftover_seconds=5, pause=lambda _: None, elapsed=lambda: next(moments)),
        ):
            pass


def _ended_process() -> int:
    pid = os.posix_spawn("/bin/true", ["/bin/true"], {})
    os.waitpid(pid, 0)
    return pid


def test_the_port_of_the_last_start_is_kept(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.keep_port(8090)
    assert DataDirectory(tmp_path).port == 8090
    assert (tmp_path / "port").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [None, "", "0", "65536", "http", "\xb2", "-1"])
def test_a_port_that_is_none_is_as_good_as_missing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "port").write_text(text)
    assert DataDirectory(tmp_path).port is None
