"""promtool, Prometheus' own checker of rules, configurations and metrics pages."""

from pathlib import Path

from tests.testkit.debian import debian_program
from tests.testkit.tools import run


def find_promtool() -> Path:
    """Return the executable. Raises ToolError."""
    return debian_program("prometheus", "usr/bin/promtool")


def complaint_of_promtool(*arguments: object, stdin: str = "") -> str:
    """Run promtool; return what it says if it is not content, and nothing otherwise."""
    ended = run([find_promtool(), *arguments], stdin=stdin)
    return "" if ended.returncode == 0 else f"{ended.stdout}\n{ended.stderr}".strip()
