"""The page for a first rotation, command by command, as its reader would type them."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testkit.local_stack import Admin, RunningStack

PAGE = Path(__file__).parents[2] / "docs" / "rotation.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECONDS = 240


def _states(lines: list[str]) -> list[str]:
    """Return the states without ``delivered``, which is left out if the new secret was used before that."""
    return [state for line in lines if line for state in line.split()[2:3] if state != "delivered"]


@pytest.mark.timeout(300)
def test_each_command_does_what_the_page_says(stack: RunningStack, tmp_path: Path) -> None:
    Admin(stack, "demo").make_realm()
    (tmp_path / ".keyturn").symlink_to(stack.data)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    page = PAGE.read_text("utf-8").replace("http://127.0.0.1:8080", stack.base_url)
    blocks = _BLOCK.findall(page)
    (settings,) = [text for kind, text in blocks if kind == "toml"]
    (tmp_path / "orders.toml").write_text(settings)
    commands = [text for kind, text in blocks if kind == "sh"]
    script = "set -e\n" + "".join(f"echo '=== {number}'\n{text}" for number, text in enumerate(commands))
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=_SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output
    answers = output.split("=== ")[1:]
    assert len(answers) == len(commands)
    (example,) = [text for kind, text in blocks if not kind]
    assert _states(example.splitlines()) == _states(answers[3].splitlines()[1:]), answers[3]
    assert '"error":"invalid_client"' in answers[4].replace(": ", ":"), answers[4]
    assert "access_token" in answers[2]
    assert "access_token" in answers[5]
    assert " done " in answers[5]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".keyturn", ".venv", "config"]
