"""Exit of a command whose configuration or installation is unusable."""

import sys
from typing import Final

from keyturn.terminal_text import printable

EXIT_REFUSED: Final = 2
"""Exit code of a process whose configuration is unusable: restarting it would not help."""


def refuse(detail: str) -> int:
    """Print the reason on standard error. Return the exit code."""
    shown = "\n".join(map(printable, detail.split("\n")))
    sys.stderr.write(f"keyturn: {shown}\n")
    sys.stderr.flush()
    return EXIT_REFUSED
