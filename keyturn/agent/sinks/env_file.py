"""Environment files, for systemd's ``EnvironmentFile=`` and for ``set -a; . file`` of a shell."""

import errno
import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ESCAPED: Final = re.compile(r'(["\\`$])')
"""Characters that both escape with a backslash between double quotes; all others stand for themselves."""


def env_line(name: str, value: str) -> str:
    """Return ``NAME="value"`` as a line. Raises OSError for a control character, which systemd refuses."""
    if _CONTROL.search(value):
        raise OSError(errno.EINVAL, f"the value of {name} has a control character")
    quoted = _ESCAPED.sub(r"\\\1", value)
    return f'{name}="{quoted}"\n'
