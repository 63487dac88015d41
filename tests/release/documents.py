"""Documents that commands print."""

import subprocess
import sys

from tests.release.checkout import REPOSITORY, ReleaseError
from tests.release.licences import wrong_with_licences
from tests.release.licences_page import licences, page


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
    return wrong + _wrong_with_licences_page()


def _wrong_with_licences_page() -> list[str]:
    try:
        licensed, policy = licences()
    except ReleaseError as error:
        return [str(error)]
    wrong = wrong_with_licences(licensed, policy)
    written = REPOSITORY / "docs" / "licences.md"
    if not written.exists() or written.read_text() != page(licensed, policy):
        wrong.append("docs/licences.md is not what `make licences` writes")
    return wrong
