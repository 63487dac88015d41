"""Clients of a filled realm: name, secret and representation, derived from a number."""

import base64
import hashlib
from typing import Any, Final

REALM: Final = "fleet"

TEAMS: Final = (
    *("accounts", "billing", "catalogue", "checkout", "claims", "clearing", "customs", "delivery"),
    *("discovery", "documents", "forecast", "fraud", "identity", "inventory", "invoices", "ledger"),
    *("logistics", "loyalty", "mail", "markets", "media", "metering", "onboarding", "orders"),
    *("payments", "payroll", "planning", "pricing", "profiles", "quality", "refunds", "reports"),
    *("returns", "routing", "search", "settlement", "shipping", "stock", "tariffs", "warehouse"),
)
ROLES: Final = (
    *("api", "archiver", "batch", "cache", "consumer", "cron", "exporter", "gateway", "importer", "indexer"),
    *("listener", "loader", "mailer", "monitor", "poller", "producer", "proxy", "reader", "reconciler"),
    *("scheduler", "signer", "sync", "watcher", "worker", "writer"),
)


def client_id_of(number: int) -> str:
    """Return a unique id; neighbouring numbers are far apart in the order of ids."""
    return f"{team_of(number)}-{role_of(number)}-{number:07d}"


def team_of(number: int) -> str:
    return TEAMS[number % len(TEAMS)]


def role_of(number: int) -> str:
    return ROLES[number // len(TEAMS) % len(ROLES)]


def secret_of(number: int) -> str:
    """Return 43 base64url characters."""
    digest = hashlib.sha256(b"benchmark client %d" % number).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def representation_of(number: int) -> dict[str, Any]:
    """Return a ClientRepresentation with a secret and two attributes to search by."""
    return {
        "clientId": client_id_of(number),
        "secret": secret_of(number),
        "attributes": {"team": team_of(number), "contact": f"{role_of(number)}@{team_of(number)}.example"},
    }
