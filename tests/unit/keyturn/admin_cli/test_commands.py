"""The list of commands."""

import json
import subprocess
import sys

SLOW = {"cryptography", "httpx", "jwt", "msgspec"}


def test_help_imports_nothing_that_takes_long() -> None:
    code = "import sys, json, keyturn.cli; print(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(ended.stdout)}
    assert "typer" in loaded
    assert not loaded & SLOW
