"""Clients and secrets from the command line."""

import stat
from pathlib import Path

import pytest

from tests.testkit.program import Program


def test_clients_are_listed_searched_and_shown_without_their_secrets(signed_in: Program) -> None:
    for name in ("listed-1", "listed-2"):
        signed_in.ok("clients", "create", name, "--name", f"Name of {name}", "-a", "colour=blue")
    found = signed_in.run("clients", "list", "--search", "listed", "--json").json
    assert [each["clientId"] for each in found] == ["listed-1", "listed-2"]
    assert {each["secret"] for each in found} == {"**********"}
    heads, row, _ = signed_in.ok("clients", "list", "--query", "colour:blue").out.splitlines()
    assert heads.split() == ["CLIENT", "ID", "ENABLED", "AUTHENTICATOR", "NAME", "UUID"]
    assert row.split()[:6] == ["listed-1", "yes", "client-secret", "Name", "of", "listed-1"]
    limited = signed_in.ok("clients", "list", "--search", "listed", "--max", "1")
    assert len(limited.out.splitlines()) == 2
    assert limited.err == "There are more clients: see --max and --all\n"
    assert {"listed-1", "listed-2"} <= {
        each["clientId"] for each in signed_in.run("clients", "list", "--all", "--json").json
    }
    by_uuid = signed_in.ok("clients", "show", found[0]["id"]).out
    assert "client ID        listed-1\n" in by_uuid
    assert "colour  " in by_uuid


def test_a_client_id_that_is_another_clients_uuid_is_refused(signed_in: Program) -> None:
    uuid = signed_in.run("clients", "create", "named", "--json").json["id"]
    other = signed_in.run("clients", "create", uuid, "--json").json["id"]
    refused = signed_in.run("clients", "delete", uuid, "--yes")
    assert refused.code == 1
    assert "is the client ID of one client and the UUID of another" in refused.err
    assert signed_in.ok("clients", "delete", "named", other, "--yes").out.startswith(
        f"Deleted named, {uuid}\n"
    )


def test_text_of_a_client_does_not_reach_the_terminal_as_control_characters(signed_in: Program) -> None:
    name = "red \033[31m\r\n\u202eback\u009b2J"
    signed_in.ok("clients", "create", "hostile", "--name", name, "-a", "evil=\033]0;title\007")
    for words in (("show", "hostile"), ("list", "--search", "hostile"), ("show", "hostile", "--json")):
        shown = signed_in.ok("clients", *words).out
        assert all(character.isprintable() for character in shown.replace("\n", "")), words
    assert "red \\x1b[31m\\r\\n\\u202eback\\x9b2J" in signed_in.ok("clients", "show", "hostile").out


def test_a_secret_goes_to_a_file_or_a_pipe(signed_in: Program, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    created = signed_in.ok("clients", "create", "piped", "--secret-to", str(file))
    assert file.read_text() not in created.out
    assert signed_in.ok("secrets", "show", "piped", "--value").out == file.read_text() + "\n"
    changed = signed_in.ok("secrets", "regenerate", "piped", "--value")
    assert changed.out == signed_in.ok("secrets", "show", "piped", "--value").out
    assert changed.out.strip() != file.read_text()
    assert changed.err == "Safe now: 1 of 1 node applied it\n"
    signed_in.ok("secrets", "show", "piped", "--to", str(file))
    assert file.read_text() == changed.out.strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_secret_is_not_replaced_if_it_cannot_be_written(signed_in: Program, tmp_path: Path) -> None:
    kept = signed_in.run("clients", "create", "unwritten", "--json").json["secret"]
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    for file in (link, tmp_path, tmp_path / "missing" / "secret", Path("/dev/null")):
        assert signed_in.run("secrets", "regenerate", "unwritten", "--to", str(file)).code == 2
    assert signed_in.ok("secrets", "show", "unwritten", "--value").out == f"{kept}\n"
    assert list(tmp_path.iterdir()) == [link]


def test_the_former_secret_is_shown_and_revoked(signed_in: Program) -> None:
    policy = {
        "keyturn.secret.expiration-period": "86400",
        "keyturn.secret.rotated-expiration-period": "3600",
    }
    attributes = [word for pair in policy.items() for word in ("-a", "=".join(pair))]
    former = signed_in.run("clients", "create", "overlapping", *attributes, "--json").json["secret"]
    signed_in.ok("secrets", "regenerate", "overlapping")
    shown = signed_in.run("secrets", "show", "overlapping", "--json").json
    assert shown["former_secret"] == former
    assert shown["former_expires_at"] - shown["created_at"] == pytest.approx(3600, abs=2)
    assert "former secret   " in signed_in.ok("secrets", "show", "overlapping").out
    revoked = signed_in.ok("secrets", "revoke", "overlapping")
    assert revoked.out.splitlines()[0] == "The former secret of overlapping has ended"
    assert signed_in.run("secrets", "show", "overlapping", "--json").json["former_secret"] is None


def test_nothing_waits_if_asked_not_to(signed_in: Program) -> None:
    created = signed_in.run("clients", "create", "unwaited", "--wait", "0", "--json").json
    assert created["sequence"] > 0
    assert (created["fleet"], created["safe"]) == (None, None)
