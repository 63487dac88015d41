"""``local.json``."""

import json
from pathlib import Path

import pytest

from keyturn.local.errors import StackError
from keyturn.local.local_file import AdminLogin, LocalStack, RunningNode, read

LOCAL = LocalStack(
    base_url="http://127.0.0.1:8080",
    admin=AdminLogin("master", "keyturn-admin", "a-secret"),
    nodes=(RunningNode("node-1", 11, "http://127.0.0.1:1001"),),
    processes={"credentials": 12, "redis": 13},
    redis_url="redis://127.0.0.1:1002/0",
    database_url="sqlite+aiosqlite:////data/keyturn.db",
)


def test_it_has_the_shape_that_others_rely_on(tmp_path: Path) -> None:
    path = tmp_path / "local.json"
    LOCAL.write(path)
    assert json.loads(path.read_text()) == {
        "base_url": "http://127.0.0.1:8080",
        "admin": {"realm": "master", "client_id": "keyturn-admin", "client_secret": "a-secret"},
        "nodes": [{"id": "node-1", "pid": 11, "base_url": "http://127.0.0.1:1001"}],
        "processes": {"credentials": 12, "redis": 13},
        "redis_url": "redis://127.0.0.1:1002/0",
        "database_url": "sqlite+aiosqlite:////data/keyturn.db",
    }
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    LOCAL.write(tmp_path / "local.json")
    assert read(tmp_path / "local.json") == LOCAL


def test_no_file_is_no_stack(tmp_path: Path) -> None:
    assert read(tmp_path / "local.json") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"base_url": 1}', '"x"', "\xff"])
def test_a_broken_file_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "local.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(StackError, match=r"local\.json was not written by keyturn up"):
        read(path)
    assert path.read_text(encoding="latin-1") == text


def test_the_admins_secret_does_not_print() -> None:
    assert "a-secret" not in repr(LOCAL)
