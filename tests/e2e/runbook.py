"""Runbooks of docs/operations.md, run as their reader would type them."""

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
_SECONDS = 120


def blocks(heading: str) -> list[str]:
    """Return the commands under a heading, up to the next one of its level."""
    level = heading.partition(" ")[0]
    section = PAGE.read_text("utf-8").split(f"\n{heading}\n")[1]
    section = re.split(rf"^#{{1,{len(level)}}} ", section, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def run(script: str, directory: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run commands as their reader would type them, with keyturn on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
    path = f"{directory / 'bin'}:{os.environ['PATH']}"
    (directory / "bin").mkdir(exist_ok=True)
    command = directory / "bin" / "keyturn"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m keyturn "$@"\n')
    command.chmod(0o755)
    return subprocess.run(
        ["bash", "-ec", script],
        cwd=directory,
        env={**kept, "PATH": path, "XDG_CONFIG_HOME": str(directory / "config"), **settings},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
