"""A new file appears whole, or not at all."""

from pathlib import Path

import pytest

from keyturn_credentials.backup.new_file import new_file
from keyturn_shared.errors import ConfigurationError


def test_it_has_its_name_only_once_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with new_file(file, replace=False) as stream:
        stream.write(b"contents")
        assert not file.exists()
        (unfinished,) = tmp_path.iterdir()
        assert unfinished.name.endswith(".unfinished")
        assert unfinished.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes() == b"contents"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("replace", [True, False])
def test_of_one_that_is_not_finished_nothing_is_left(
    error: type[BaseException], replace: bool, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    if replace:
        file.write_bytes(b"former")

    def fail() -> None:
        with new_file(file, replace=replace) as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([b"former"] if replace else [])


def test_a_file_of_that_name_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_bytes(b"former")
    with pytest.raises(ConfigurationError, match="--force"), new_file(file, replace=False):
        raise AssertionError("not reached")
    assert file.read_bytes() == b"former"
    with new_file(file, replace=True) as stream:
        stream.write(b"new")
    assert file.read_bytes() == b"new"


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    file = tmp_path / "backup"

    def write() -> None:
        with new_file(file, replace=False) as stream:
            stream.write(b"mine")
            file.write_bytes(b"theirs")

    with pytest.raises(ConfigurationError, match="exists already"):
        write()
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"theirs"]


@pytest.mark.parametrize("replace", [True, False])
def test_only_regular_files_are_replaced(replace: bool, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path, link, Path("/dev/null")):
        with pytest.raises(ConfigurationError, match="not a regular file"), new_file(path, replace=replace):
            raise AssertionError("not reached")


def test_a_place_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigurationError, match="cannot be written"),
        new_file(tmp_path / "none" / "backup", replace=False),
    ):
        raise AssertionError("not reached")
