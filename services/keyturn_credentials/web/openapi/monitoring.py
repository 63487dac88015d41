"""Descriptions of monitoring: audit, events, expiring secrets, JWKS URLs, the fleet."""

from typing import Final

from keyturn_credentials.web.openapi.builders import (
    JSON,
    NUMBER,
    TEXT,
    Content,
    Operation,
    array_of,
    json_content,
    reference,
)

_REALM: Final = "/admin/realms/{realm}"

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", f"{_REALM}/audit"): Operation(
        "List the audit log: one page, newest first; or with Accept: application/jsonl the whole log,"
        " oldest first.",
        {200: Content("Entries.", {JSON: array_of("AuditEntry"), "application/jsonl": {"type": "string"}})},
        query={
            **dict.fromkeys(("client_uuid", "client_id", "actor", "action"), TEXT),
            **dict.fromkeys(("since", "until", "before", "after", "max"), NUMBER),
        },
    ),
    ("GET", f"{_REALM}/event-log"): Operation(
        "List the realm's events, newest first (in Keycloak, `events` has users' logins).",
        {200: json_content("Events.", array_of("Event"))},
        query={"type": TEXT, "client_id": TEXT, "before": NUMBER, "after": NUMBER, "max": NUMBER},
    ),
    ("GET", f"{_REALM}/expiring-secrets"): Operation(
        "List expiring secrets, soonest first.",
        {200: json_content("Secrets.", array_of("ExpiringSecret"))},
        query={"max": NUMBER},
    ),
    ("GET", f"{_REALM}/jwks-urls"): Operation(
        "List clients with a JWKS URL and its fetch status.",
        {200: json_content("URLs.", array_of("JwksUrlHealth"))},
        query={"max": NUMBER, "after": TEXT},
    ),
    ("GET", f"{_REALM}/fleet"): Operation(
        "Show the nodes and their positions; with sequence and wait, respond once that event is in effect.",
        {200: json_content("The fleet.", reference("Fleet"))},
        query={"sequence": NUMBER, "wait": {**NUMBER, "description": "seconds, at most 60"}},
    ),
    ("GET", f"{_REALM}/fleet/stream"): Operation(
        "Stream the fleet and its recent changes as server-sent events.",
        {200: Content("Events.", {"text/event-stream": {"type": "string"}})},
        refusals=(429,),
    ),
}
