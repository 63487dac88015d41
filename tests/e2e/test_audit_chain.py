"""The runbook for a failed check of the audit log, command by command."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.e2e.runbook import blocks, run
from tests.testkit.local_stack import Admin, RunningStack
from tests.testkit.waiting import wait_until

CHECK, FAILS = "### keyturn audit verify", "### When keyturn audit verify fails"


async def test_a_changed_log_is_found_examined_and_accepted(
    make_stack: Callable[..., RunningStack], tmp_path: Path
) -> None:
    stack = make_stack(nodes=1).start()
    settings = _settings(stack)
    Admin(stack, "acme").make_realm()
    checking, comparing = blocks(CHECK)[:2]

    async def chained() -> bool:
        done = run(f"{checking.rstrip()} --json", tmp_path, **settings)
        return done.returncode == 0 and json.loads(done.stdout)["unchained"] == 0

    await wait_until(chained, timeout=60.0, interval=0.5)
    good = run(checking, tmp_path, **settings)
    assert good.returncode == 0, good.stdout
    head = good.stdout.splitlines()[-1]
    assert run(comparing, tmp_path, HEAD=head, **settings).returncode == 0
    with closing(sqlite3.connect(stack.data / "keyturn.db", timeout=30, isolation_level=None)) as database:
        database.execute("UPDATE audit SET actor_client_id = 'somebody' WHERE chain_number = 1")
    bad = run(comparing, tmp_path, HEAD=head, **settings)
    assert bad.returncode == 1
    assert "CHANGED: entry " in bad.stdout
    keeping, accepting, again = blocks(FAILS)
    kept = run(keeping, tmp_path, **settings)
    assert kept.returncode == 0, kept.stderr
    assert json.loads((tmp_path / "findings.json").read_text())["problems"] == {"changed": 1}
    assert (tmp_path / "evidence.backup").exists()
    accepted = run(accepting, tmp_path, **settings)
    assert accepted.returncode == 0, accepted.stderr
    await wait_until(chained, timeout=60.0, interval=0.5)
    assert run(again, tmp_path, **settings).returncode == 0
    too_old = run(comparing, tmp_path, HEAD=head, **settings)
    assert too_old.returncode == 1
    assert "KEPT_HEAD_TOO_OLD" in too_old.stdout
    assert stack.stop() == 0


def _settings(stack: RunningStack) -> dict[str, str]:
    """Return the settings of a local stack's credentials service, as its operator would have them."""
    lines = (stack.data / "secrets.env").read_text().splitlines()
    named = dict(line.split("=", 1) for line in lines if line.startswith("KEYTURN_"))
    return {
        **named,
        "KEYTURN_DATABASE_URL": f"sqlite+aiosqlite:///{stack.data}/keyturn.db",
        "KEYTURN_REDIS_URL": "redis://127.0.0.1:1/0",
        "KEYTURN_PUBLIC_URL": stack.base_url,
    }
