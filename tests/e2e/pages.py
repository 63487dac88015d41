"""Pages whose commands are run as their reader would type them."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.testkit.local_stack import RunningStack

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page:
    """A page about a stack. ``blocks``: kind and text of its code blocks, with the stack's URL."""

    def __init__(self, name: str, stack: RunningStack) -> None:
        text = (DOCS / name).read_text("utf-8").replace("http://127.0.0.1:8080", stack.base_url)
        self.blocks = _BLOCK.findall(text)
        self._stack = stack

    def of_kind(self, kind: str) -> list[str]:
        return [text for each, text in self.blocks if each == kind]

    def run(self, directory: Path, *, seconds: float) -> list[str]:
        """Run all commands in one shell, in a directory where the stack's and the environment's names are as
        on the page. Return the output of each block."""
        (directory / ".keyturn").symlink_to(self._stack.data)
        (directory / ".venv").mkdir()
        (directory / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
        commands = self.of_kind("sh")
        script = "set -e\n" + "".join(f"echo '=== {number}'\n{text}" for number, text in enumerate(commands))
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=directory,
            env={**os.environ, "HOME": str(directory), "XDG_CONFIG_HOME": str(directory / "config")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=seconds)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == 0, output
        answers = output.split("=== ")[1:]
        assert len(answers) == len(commands)
        return answers
