"""The token of a profile: used until it expires, then renewed from a file if there is one."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.profiles import Profile, ProfileStore
from keyturn.admin_cli.servers import Server
from keyturn.admin_cli.tokens import ProfileTokens

PROFILE = Profile(
    name="id",
    server="https://id.test",
    realm="master",
    client_id="admin",
    default_realm="acme",
    token="first",
    token_expires_at=1300.0,
)


def tokens(profile: Profile, directory: Path, now: float) -> ProfileTokens:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"access_token": "second", "expires_in": 300})

    http = httpx.Client(base_url="https://id.test", transport=httpx.MockTransport(answer))
    return ProfileTokens(profile, ProfileStore(directory), Server(http), lambda: now)


def test_a_token_is_used_until_shortly_before_it_expires(tmp_path: Path) -> None:
    assert tokens(PROFILE, tmp_path, 1280.0).current() == "first"
    with pytest.raises(CommandError, match="the sign-in has expired") as refused:
        tokens(PROFILE, tmp_path, 1290.0).current()
    assert refused.value.exit_code is ExitCode.NOT_ALLOWED


def test_a_new_one_is_kept_in_the_profile(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s")
    profile = replace(PROFILE, secret_file=str(file))
    assert tokens(profile, tmp_path, 1290.0).current() == "second"
    kept = ProfileStore(tmp_path).load("id")
    assert (kept.token, kept.token_expires_at) == ("second", 1590.0)


def test_a_profile_that_cannot_be_written_does_not_end_the_command(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s")
    assert tokens(replace(PROFILE, secret_file=str(file)), file, 1290.0).current() == "second"
