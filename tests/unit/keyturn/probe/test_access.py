"""The prober signs in with a profile, or with a client and a file, and with nothing in between."""

from dataclasses import replace
from pathlib import Path

import pytest

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.profiles import Profile, ProfileStore
from keyturn.probe.access import SignIn, canary_realm, require_renewable

SERVER = SignIn(server="https://id.test", client_id="prober", secret_file=Path("/run/secret"))


def test_a_client_with_a_file_needs_no_profile() -> None:
    profile, store = SERVER.resolve("canaries")
    assert store is None
    assert (profile.realm, profile.client_id, profile.secret_file) == ("canaries", "prober", "/run/secret")
    require_renewable(profile)


def test_the_administrator_may_be_of_another_realm() -> None:
    profile, _ = replace(SERVER, admin_realm="master").resolve("canaries")
    assert (profile.realm, canary_realm(profile, None)) == ("master", "canaries")


@pytest.mark.parametrize(
    "wrong",
    [
        SignIn(client_id="prober"),
        SignIn(secret_file=Path("s")),
        replace(SERVER, profile="p"),
        replace(SERVER, client_id=None),
        replace(SERVER, secret_file=None),
        replace(SERVER, key_file=Path("k")),
    ],
)
def test_half_a_sign_in_is_refused(wrong: SignIn) -> None:
    with pytest.raises(CommandError) as refused:
        wrong.resolve("canaries")
    assert refused.value.exit_code is ExitCode.USAGE


def test_a_profile_that_cannot_renew_its_token_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    kept = Profile(name="p", server="https://id.test", realm="master", client_id="a", default_realm="acme")
    ProfileStore(tmp_path / "keyturn").save(kept, make_current=True)
    profile, store = SignIn().resolve(None)
    assert store is not None
    assert canary_realm(profile, None) == "acme"
    with pytest.raises(CommandError, match="--secret-file"):
        require_renewable(profile)


def test_the_canary_is_not_in_master() -> None:
    profile, _ = replace(SERVER, admin_realm="master").resolve(None)
    with pytest.raises(CommandError, match="other than master"):
        canary_realm(profile, None)
