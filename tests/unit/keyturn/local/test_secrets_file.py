"""The keys and the first admin that a local stack creates once."""

from pathlib import Path

import pytest

from keyturn.local.errors import StackError
from keyturn.local.secrets_file import StackSecrets, ignored_settings, load_or_make
from keyturn_shared.errors import ConfigurationError


def load(directory: Path, **environment: str) -> StackSecrets:
    return load_or_make(directory / "secrets.env", environment, database=directory / "keyturn.db")


def test_they_are_made_once_and_kept_for_their_owner_alone(tmp_path: Path) -> None:
    made, kept = load(tmp_path), load(tmp_path)
    assert (made.made_now, kept.made_now) == (True, False)
    assert made.environment() == kept.environment()
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert len(set(made.environment().values())) == 5


def test_they_do_not_print(tmp_path: Path) -> None:
    made = load(tmp_path)
    for secret in (made.encryption_keys, made.fleet_keys, made.log_signing_keys, made.admin_secret):
        assert secret.reveal() not in repr(made)


def test_the_first_admin_can_be_given(tmp_path: Path) -> None:
    given = {
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": "root",
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": "a=secret with = in it",
    }
    load(tmp_path, **given)
    kept = load(tmp_path)
    assert (kept.admin_id, kept.admin_secret.reveal()) == ("root", "a=secret with = in it")


def test_what_is_kept_holds_against_the_environment_and_that_is_said(tmp_path: Path) -> None:
    load(tmp_path, KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID="first")
    later = {"KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": "second"}
    kept = load(tmp_path, **later)
    assert kept.admin_id == "first"
    assert ignored_settings(kept, later) == ["KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID"]


def test_a_file_of_a_former_release_gets_what_came_later_and_keeps_the_rest(tmp_path: Path) -> None:
    made = load(tmp_path)
    file = tmp_path / "secrets.env"
    lines = [line for line in file.read_text().splitlines(True) if "LOG_SIGNING" not in line]
    file.write_text("".join(lines))
    completed, kept = load(tmp_path), load(tmp_path)
    assert completed.environment() == kept.environment()
    assert completed.log_signing_keys.reveal() != made.log_signing_keys.reveal()
    assert completed.fleet_keys == made.fleet_keys
    assert not completed.made_now
    assert file.stat().st_mode & 0o777 == 0o600


def test_keys_are_not_made_anew_beside_a_database_they_cannot_open(tmp_path: Path) -> None:
    (tmp_path / "keyturn.db").touch()
    with pytest.raises(StackError, match=r"secrets.env is missing"):
        load(tmp_path)
    assert not (tmp_path / "secrets.env").exists()


@pytest.mark.parametrize("text", ["", "nonsense", "KEYTURN_FLEET_KEYS=\n"])
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.env").write_text(text)
    with pytest.raises(StackError, match="damaged"):
        load(tmp_path)
    assert (tmp_path / "secrets.env").read_text() == text


@pytest.mark.parametrize(
    "given",
    [
        {"KEYTURN_FLEET_KEYS": "short"},
        {"KEYTURN_LOG_SIGNING_KEYS": "short"},
        {"KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": "two\nlines"},
    ],
)
def test_a_value_that_cannot_be_used_is_not_kept(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises((ConfigurationError, StackError)):
        load(tmp_path, **given)
    assert not (tmp_path / "secrets.env").exists()
