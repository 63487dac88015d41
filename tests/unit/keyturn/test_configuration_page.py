"""``docs/configuration.md`` names every setting, and no other."""

import re
from pathlib import Path

from keyturn_credentials.settings import CredentialsSettings
from keyturn_verifier.settings import VerifierSettings

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()


def section(title: str) -> set[str]:
    """Return the variables in the first column of a section's table."""
    body = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in body.splitlines() if line.startswith("| `")]
    return {name.removeprefix("KEYTURN_").lower() for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_the_settings_of_both_services() -> None:
    assert (
        section("Both services")
        == CredentialsSettings.model_fields.keys() & VerifierSettings.model_fields.keys()
    )


def test_the_settings_of_the_credentials_service() -> None:
    assert (
        section("Credentials service") | section("Both services") == CredentialsSettings.model_fields.keys()
    )


def test_the_settings_of_a_verifier() -> None:
    assert (
        section("Verifier node and fetcher") | section("Both services")
        == VerifierSettings.model_fields.keys()
    )
