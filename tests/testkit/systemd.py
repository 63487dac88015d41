"""systemd-analyze, systemd's own checker of units."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.testkit.debian import debian_program
from tests.testkit.tools import run

EXPOSED: Final = 20
"""Exposure, in tenths of systemd's scale of ten, from which a unit is not accepted."""


def find_systemd_analyze() -> Path:
    """Return the executable. Raises ToolError."""
    return debian_program("systemd", "usr/bin/systemd-analyze")


def complaint_of_systemd(unit: Path) -> str:
    """Return what systemd says about a unit that it does not understand completely; empty if it does."""
    ended = run([find_systemd_analyze(), "verify", "--recursive-errors=no", unit])
    said = f"{ended.stdout}{ended.stderr}".strip()
    return said or ("" if ended.returncode == 0 else f"exit code {ended.returncode}")


def exec_words(command: str, environment: Iterable[str]) -> list[str]:
    """Return the words of an ``ExecStart`` as systemd gives them to the program. ``environment``: values of
    ``Environment``, one assignment each. ``${NAME}`` is a part of a word; a word ``$NAME`` is split at its
    white space (systemd.service(5)). ``%d`` becomes ``/credentials``."""
    variables = dict(each.strip('"').split("=", 1) for each in environment)
    words: list[str] = []
    for word in command.replace("%d", "/credentials").split():
        if re.fullmatch(r"\$\w+", word):
            words += variables[word[1:]].split()
        else:
            words.append(re.sub(r"\$\{(\w+)\}", lambda name: variables[name[1]], word))
    return words


def is_exposed(unit: Path) -> bool:
    """Tell whether systemd finds that a unit has more rights than it should."""
    command = [
        find_systemd_analyze(),
        "security",
        "--offline=yes",
        "--no-pager",
        f"--threshold={EXPOSED}",
        unit,
    ]
    return run(command).returncode != 0
