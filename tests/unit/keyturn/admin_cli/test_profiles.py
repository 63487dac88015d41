"""Profiles in files."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.profiles import Profile, ProfileStore, name_for

PROFILE = Profile(
    name="id.example.com",
    server="https://id.example.com",
    realm="master",
    client_id="admin",
    default_realm="acme",
    token="the-token",
    token_expires_at=1.5,
)


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "keyturn")


def test_a_profile_is_kept_in_a_file_that_only_its_owner_can_read(
    store: ProfileStore, tmp_path: Path
) -> None:
    store.save(PROFILE, make_current=True)
    assert store.load(None) == store.load("id.example.com") == PROFILE
    file = tmp_path / "keyturn" / "profiles" / "id.example.com.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o602])
def test_a_profile_that_others_can_read_or_change_is_refused(
    store: ProfileStore, tmp_path: Path, mode: int
) -> None:
    store.save(PROFILE)
    file = tmp_path / "keyturn" / "profiles" / "id.example.com.json"
    file.chmod(mode)
    with pytest.raises(CommandError, match="other users"):
        store.load("id.example.com")
    file.chmod(0o600)
    assert store.load("id.example.com") == PROFILE


def test_a_profile_does_not_show_its_token() -> None:
    assert "the-token" not in repr(PROFILE)


def test_members_of_a_later_release_are_ignored(store: ProfileStore, tmp_path: Path) -> None:
    store.save(PROFILE)
    file = tmp_path / "keyturn" / "profiles" / "id.example.com.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "later": 1}))
    assert store.load("id.example.com") == PROFILE


def test_a_deleted_profile_is_not_the_current_one(store: ProfileStore) -> None:
    store.save(PROFILE, make_current=True)
    store.delete(PROFILE)
    for name in (None, "id.example.com"):
        with pytest.raises(CommandError) as refused:
            store.load(name)
        assert refused.value.exit_code is ExitCode.NOT_ALLOWED


@pytest.mark.parametrize("name", ["../other", "a/b", ".", "..", ".hidden", "a\n", "", "x" * 101])
def test_a_name_cannot_lead_out_of_the_directory(store: ProfileStore, name: str) -> None:
    with pytest.raises(CommandError):
        store.save(replace(PROFILE, name=name))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"token": "the-token"', "\udcff"])
def test_a_broken_file_is_named_and_not_quoted(store: ProfileStore, tmp_path: Path, text: str) -> None:
    store.save(PROFILE)
    file = tmp_path / "keyturn" / "profiles" / "id.example.com.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CommandError, match="is not a profile") as refused:
        store.load("id.example.com")
    assert "the-token" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_directory_is_that_of_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for environment, base in (
        ({"XDG_CONFIG_HOME": str(tmp_path / "configured")}, tmp_path / "configured"),
        ({"XDG_CONFIG_HOME": "relative"}, tmp_path / ".config"),
        ({}, tmp_path / ".config"),
    ):
        ProfileStore.of(environment).save(PROFILE)
        assert (base / "keyturn" / "profiles" / "id.example.com.json").exists()


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("id.example.com", None, "id.example.com"),
        ("127.0.0.1", 8080, "127.0.0.1-8080"),
        ("::1", 8080, "1-8080"),
    ],
)
def test_a_server_has_a_profile_of_its_name(host: str, port: int | None, name: str) -> None:
    assert name_for(host, port) == name
