"""Documents that commands print."""

import subprocess
import sys

from tests.release.archives import REPOSITORY


def wrong_with_documents() -> list[str]:
    """Return sentences, none if each is what its command prints."""
    wrong = []
    for module, name in (
        ("keyturn_credentials.api_description", "docs/openapi.json"),
        ("keyturn_shared.asyncapi", "docs/asyncapi.json"),
    ):
        made = subprocess.run([sys.executable, "-m", module], check=True, capture_output=True, timeout=60)
        if made.stdout != (REPOSITORY / name).read_bytes():
            wrong.append(f"{name} is not what `python -m {module}` prints")
    return wrong
