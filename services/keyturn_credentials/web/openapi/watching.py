"""What is described of looking on: audit, events, rotations, JWKS URLs, the fleet."""

from typing import Final

from keyturn_credentials.web.openapi.describing import (
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
        "Who did what to which client when, from where: a page, newest first; or with Accept:"
        " application/jsonl all of it, oldest first.",
        {200: Content("Entries.", {JSON: array_of("AuditEntry"), "application/jsonl": {"type": "string"}})},
        query={
            **dict.fromkeys(("client_uuid", "client_id", "actor", "action"), TEXT),
            **dict.fromkeys(("since", "until", "before", "after", "max"), NUMBER),
        },
    ),
    ("GET", f"{_REALM}/event-log"): Operation(
        "The realm's events, newest first (Keycloak has its users' logins at `events`).",
        {200: json_content("Events.", array_of("Event"))},
        query={"type": TEXT, "client_id": TEXT, "before": NUMBER, "after": NUMBER, "max": NUMBER},
    ),
    ("GET", f"{_REALM}/rotations"): Operation(
        "Secrets that end, the soonest first.",
        {200: json_content("Rotations.", array_of("Rotation"))},
        query={"max": NUMBER},
    ),
    ("GET", f"{_REALM}/jwks-urls"): Operation(
        "Clients with a JWKS URL, and how fetching it goes.",
        {200: json_content("URLs.", array_of("JwksUrlHealth"))},
        query={"max": NUMBER, "after": TEXT},
    ),
    ("GET", f"{_REALM}/fleet"): Operation(
        "The nodes and how far each has come; with sequence and wait, once that event is in force.",
        {200: json_content("The fleet.", reference("Fleet"))},
        query={"sequence": NUMBER, "wait": {**NUMBER, "description": "seconds, at most 60"}},
    ),
    ("GET", f"{_REALM}/fleet/stream"): Operation(
        "The fleet with its recent changes as server-sent events.",
        {200: Content("Events.", {"text/event-stream": {"type": "string"}})},
    ),
}
