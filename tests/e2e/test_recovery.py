"""The runbook for the day on which nobody can administer any more, command by command."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.e2e.runbook import blocks, run
from tests.testkit.local_stack import RunningStack, ask_token

HEADING = "## When nobody can administer any more"


def disable(stack: RunningStack) -> None:
    """Lock the administrator out, as a release without the rule about the last one allowed."""
    with sqlite3.connect(stack.data / "keyturn.db") as database:
        database.execute("UPDATE clients SET enabled = 0 WHERE client_id = 'keyturn-admin'")
    database.close()


def settings_of(stack: RunningStack) -> dict[str, str]:
    lines = (stack.data / "secrets.env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return values | {"KEYTURN_DATABASE_URL": stack.local["database_url"], "KEYTURN_REALM_SEALS": "true"}


def can_sign_in(stack: RunningStack) -> bool:
    admin = stack.read_local()["admin"]
    answer = ask_token(stack.base_url, "master", admin["client_id"], admin["client_secret"])
    return answer.status_code == 200


def test_the_runbook_brings_a_local_stacks_administrator_back(
    make_stack: Callable[..., RunningStack], tmp_path: Path
) -> None:
    stack = make_stack(nodes=1).start()
    (tmp_path / ".keyturn").symlink_to(stack.data)
    disable(stack)
    refused = run("keyturn console --data-dir .keyturn", tmp_path)
    assert refused.returncode == 2
    assert "is disabled" in refused.stderr
    assert "keyturn admin recover --data-dir" in refused.stderr
    assert stack.stop() == 0
    stack.start()
    assert not can_sign_in(stack)
    done = run(blocks(HEADING)[1], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Signed in" in done.stdout
    assert can_sign_in(stack)
    assert stack.local["admin"]["client_secret"] not in done.stdout + done.stderr
    assert stack.stop() == 0
    assert "keyturn admin recover --data-dir" in stack.said(), "at the start at which nobody could sign in"


def test_the_runbook_brings_an_administrator_back_with_the_services_settings(
    make_stack: Callable[..., RunningStack], tmp_path: Path
) -> None:
    stack = make_stack(nodes=1).start()
    disable(stack)
    script = blocks(HEADING)[0].replace("https://id.example.com", stack.base_url)
    done = run(script, tmp_path, **settings_of(stack))
    assert done.returncode == 0, done.stderr
    assert "Signed in" in done.stdout
    assert (tmp_path / "admin.secret").stat().st_mode & 0o777 == 0o600
    silent = run("keyturn admin recover", tmp_path, **settings_of(stack))
    assert silent.returncode == 2
    assert "--secret-to FILE or --print-secret" in silent.stderr
