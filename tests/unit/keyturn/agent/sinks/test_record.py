"""The record of what sinks have got."""

import json
import logging
import stat
from pathlib import Path

import pytest

from keyturn.agent.sinks.record import Entry, Record, digest_of, new_salt

SETTINGS = b'{"name":"orders"}'


def entry_for(secret: str) -> Entry:
    salt = new_salt()
    return Entry(salt=salt, digest=digest_of(salt, SETTINGS, secret), id="0" * 32, since=1_800_000_000.0)


def test_an_entry_recognizes_its_secret_and_does_not_have_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json.sinks"
    Record(path).write("a", entry_for("the secret"))
    Record(path).write("b", entry_for("the secret"))
    found = Record(path).read("a")
    assert found is not None
    assert found.is_of(SETTINGS, "the secret")
    assert not found.is_of(SETTINGS, "another")
    assert not found.is_of(b"{}", "the secret")
    assert Record(path).read("c") is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "the secret" not in path.read_text()
    kept = json.loads(path.read_text())
    assert kept["a"]["digest"] != kept["b"]["digest"], "equal secrets cannot be recognized"


@pytest.mark.parametrize(
    "content",
    ["", "[]", "no JSON", '{"a": 1}', '{"a": {"salt": "s"}}', "\udcff"],
)
def test_a_damaged_record_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.json.sinks"
    path.write_text(content, errors="surrogateescape")
    assert Record(path).read("a") is None
    Record(path).write("a", entry_for("the secret"))
    assert Record(path).read("a") is not None


@pytest.mark.parametrize(("member", "value"), [("id", "a\r\nb"), ("since", 1e300), ("notes", {"v": "x"})])
def test_an_entry_with_impossible_members_is_none(tmp_path: Path, member: str, value: object) -> None:
    path = tmp_path / "state.json.sinks"
    Record(path).write("a", entry_for("the secret"))
    kept = json.loads(path.read_text())
    kept["a"][member] = value
    path.write_text(json.dumps(kept))
    assert Record(path).read("a") is None


def test_a_record_that_cannot_be_written_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Record(tmp_path / "none" / "state").write("a", entry_for("the secret"))
    assert "cannot be written: No such file or directory" in caplog.text
