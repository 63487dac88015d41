"""All scenarios, by area."""

from importlib import import_module
from typing import Final

from tests.keycloak.scenario import Scenario

AREAS: Final = {
    "token endpoint": "token_endpoint",
    "assertions": "assertions",
    "introspection": "introspection",
    "revocation endpoint": "revocation",
    "discovery and keys": "metadata",
    "clients": "clients",
    "secrets": "secrets",
    "installation": "installation",
    "client scopes": "client_scopes",
    "roles": "roles",
    "import and export": "transfer",
    "callers and permissions": "permissions",
    "requests in general": "general",
}


def all_scenarios() -> dict[str, list[Scenario]]:
    """Return the scenarios of each area, in the order in which they run."""
    return {
        area: list(import_module(f"tests.keycloak.scenarios.{module}").SCENARIOS)
        for area, module in AREAS.items()
    }
