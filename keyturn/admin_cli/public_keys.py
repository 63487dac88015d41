"""Public keys that people give the command line."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from keyturn.admin_cli.exits import CommandError, ExitCode

_MAX_BYTES: Final = 64 * 1024


def read_public_jwk(path: Path) -> dict[str, Any]:
    """Read a JWK from a file, or from standard input for ``-``. Raises CommandError, also for a private key,
    which nobody but its client should have."""
    name = "standard input" if path == Path("-") else str(path)
    try:
        text = sys.stdin.buffer.read(_MAX_BYTES) if path == Path("-") else path.read_bytes()
        jwk = json.loads(text)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}", ExitCode.USAGE) from None
    except ValueError:
        raise CommandError(
            f"{name} is no JSON: a public key as a JWK (RFC 7517) is expected", ExitCode.USAGE
        ) from None
    if not isinstance(jwk, dict) or "kty" not in jwk:
        raise CommandError(f"{name} is no JWK (RFC 7517)", ExitCode.USAGE)
    if "d" in jwk or "k" in jwk:
        raise CommandError(f"{name} has a private key; nothing was sent. Give the public one", ExitCode.USAGE)
    return jwk
