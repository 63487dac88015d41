"""Exit of a command whose configuration or installation is unusable."""

import sys
from typing import Final

EXIT_REFUSED: Final = 2
"""Exit code of a process whose configuration is unusable: restarting it would not help."""


def refuse(detail: str) -> int:
    """Print the reason on standard error. Return the exit code."""
    sys.stderr.write(f"keyturn: {detail}\n")
    sys.stderr.flush()
    return EXIT_REFUSED
