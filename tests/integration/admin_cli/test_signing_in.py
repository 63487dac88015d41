"""Signing in: by secret, key or local stack, and again."""

import json

from keyturn.local.local_file import AdminLogin, LocalStack
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET
from tests.testkit.program import Program


def test_an_administrator_signs_in_with_a_private_key(signed_in: Program, program: Program, url: str) -> None:
    key = SigningKey.generate()
    jwks = json.dumps({"keys": [key.public_jwk]})
    signed_in.ok(
        *("clients", "create", "by-key", "--authenticator", "client-jwt", "-a", "use.jwks.string=true"),
        *("-a", f"jwks.string={jwks}", "-a", "keyturn.admin.roles=view-clients"),
    )
    file = program.directory / "key.json"
    file.write_bytes(key.export_private_jwk())
    program.ok("login", url, "--client-id", "by-key", "--realm", "acme", "--key-file", str(file))
    assert program.ok("clients", "show", "by-key").out.startswith("client ID")
    refused = program.run("clients", "create", "more")
    assert refused.code == 3
    assert refused.err.startswith("keyturn: you have no right to do this: ")


def test_a_wrong_secret_is_refused_and_leaves_no_profile(program: Program, url: str) -> None:
    refused = program.run("login", url, "--client-id", ADMIN_ID, "--secret-stdin", stdin="wrong\n")
    assert refused.code == 3
    assert refused.err.startswith(f"keyturn: {ADMIN_ID} cannot sign in to realm master: ")
    assert not (program.directory / "keyturn").exists()


def test_the_local_stack_says_who_signs_in(program: Program, url: str) -> None:
    admin = AdminLogin("master", ADMIN_ID, ADMIN_SECRET)
    stack = LocalStack(url, admin, nodes=(), processes={}, redis_url="", database_url="")
    stack.write(program.directory / "local.json")
    program.ok("login", "--data-dir", str(program.directory))
    assert ADMIN_SECRET not in program.profiles[0].read_text()
    assert "acme" in program.ok("realms").out
    assert program.run("login", "--data-dir", str(program.directory / "missing")).code == 5


def test_a_sign_in_is_repeated_without_arguments(program: Program, url: str) -> None:
    words = ("login", url, "--client-id", ADMIN_ID, "--secret-stdin", "--default-realm", "acme")
    program.ok(*words, "--profile", "first", stdin=ADMIN_SECRET)
    program.ok(*words[:-2], "--profile", "second", stdin=ADMIN_SECRET)
    assert [path.stem for path in program.profiles] == ["first", "second"]
    again = program.run("login", "--profile", "first", "--secret-stdin", "--json", stdin=ADMIN_SECRET).json
    assert (again["client_id"], again["default_realm"]) == (ADMIN_ID, "acme")
    asked = program.run("login", "--profile", "first")
    assert (asked.code, "there is no terminal to ask" in asked.err) == (2, True)
    program.ok("logout", "--profile", "first")
    assert program.run("realms").code == 3
    assert program.ok("realms", "--profile", "second").out.startswith("REALM")


def test_another_realm_of_the_administrator_leaves_the_default_realm_that_was_chosen(
    program: Program, url: str
) -> None:
    words = ("login", url, "--client-id", ADMIN_ID, "--secret-stdin", "--default-realm", "acme")
    program.ok(*words, stdin=ADMIN_SECRET)
    again = program.run("login", "--realm", "master", "--secret-stdin", "--json", stdin=ADMIN_SECRET).json
    assert (again["realm"], again["default_realm"]) == ("master", "acme")


def test_a_default_realm_that_was_not_chosen_is_the_administrators(program: Program, url: str) -> None:
    program.ok("login", url, "--client-id", ADMIN_ID, "--secret-stdin", stdin=ADMIN_SECRET)
    (profile,) = program.profiles
    elsewhere = {"realm": "acme", "default_realm": "acme"}
    profile.write_text(json.dumps(json.loads(profile.read_text()) | elsewhere))
    again = program.run("login", "--realm", "master", "--secret-stdin", "--json", stdin=ADMIN_SECRET).json
    assert (again["realm"], again["default_realm"]) == ("master", "master")


def test_an_expired_sign_in_is_told(program: Program, url: str) -> None:
    program.ok("login", url, "--client-id", ADMIN_ID, "--secret-stdin", stdin=ADMIN_SECRET)
    (profile,) = program.profiles
    kept = json.loads(profile.read_text())
    for change in ({"token_expires_at": 0}, {"token": "invalid"}):
        profile.write_text(json.dumps(kept | change))
        ended = program.run("realms")
        assert ended.code == 3
        assert "login" in ended.err


def test_only_one_credential_is_given(program: Program, url: str) -> None:
    words = ("login", url, "--client-id", ADMIN_ID, "--secret-stdin", "--key-file", "key.pem")
    assert program.run(*words, stdin="s").code == 2
    assert program.run("login", url, "--secret-stdin", stdin="s").code == 2
