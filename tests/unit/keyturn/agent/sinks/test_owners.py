"""Owners of written files."""

import os
from pathlib import Path

import pytest

from keyturn.agent.sinks.owners import FileOwnerError, check_owner, has_owner, ids_of


def test_names_and_numbers_are_ids() -> None:
    assert ids_of("root", None) == (0, -1)
    assert ids_of(None, "root") == (-1, 0)
    assert ids_of("1000", "1001") == (1000, 1001)


@pytest.mark.parametrize(
    ("owner", "group", "told"),
    [
        ("no-such-user", None, "there is no user no-such-user"),
        (None, "no-such-group", "there is no group no-such-group"),
        ("4294967295", None, "there is no user 4294967295"),
        (None, "99999999999", "there is no group 99999999999"),
    ],
)
def test_who_is_not_there_is_named(tmp_path: Path, owner: str | None, group: str | None, told: str) -> None:
    with pytest.raises(FileOwnerError, match=told) as refused:
        check_owner(tmp_path / "secret", owner, group)
    assert str(tmp_path / "secret") in refused.value.detail


def test_what_is_not_permitted_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    with pytest.raises(FileOwnerError, match="cannot be given to root:: Operation not permitted; "):
        check_owner(tmp_path / "secret", "root", None)
    check_owner(tmp_path / "secret", None, None)
    check_owner(tmp_path / "none" / "secret", "root", None)
    assert list(tmp_path.iterdir()) == []


def test_the_owner_of_a_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert not has_owner(path, (-1, -1))
    path.touch()
    own = (os.getuid(), path.stat().st_gid)
    assert has_owner(path, own)
    assert has_owner(path, (-1, -1))
    assert not has_owner(path, (own[0] + 1, -1))
    check_owner(path, str(own[0]), str(own[1]))
