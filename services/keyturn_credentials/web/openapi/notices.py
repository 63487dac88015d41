"""Descriptions of notices."""

from typing import Final

from keyturn_credentials.domain.diagnosis import Severity
from keyturn_credentials.domain.notice_kinds import KINDS
from keyturn_credentials.domain.notices import DeliveryState
from keyturn_credentials.web.openapi.builders import (
    MAYBE_TIME,
    NUMBER,
    TEXT,
    TIME,
    Operation,
    Schema,
    array_of,
    json_content,
    record_of,
)

_OF_CLIENT: Final[Schema] = {"type": ["string", "null"], "description": "null for a key of the realm"}

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", "/admin/realms/{realm}/notices"): Operation(
        "List open notices, newest first: what ends and nothing replaces, what keeps failing, what waits.",
        {200: json_content("Notices.", array_of("Notice"))},
        query={"max": NUMBER, "before": NUMBER},
    ),
}

SCHEMAS: Final[dict[str, Schema]] = {
    "Notice": record_of(
        {
            "number": {**NUMBER, "description": "of the last one of a page, for before"},
            "id": TEXT,
            "code": {"enum": [*KINDS]},
            "severity": {"enum": [*Severity]},
            "realm": TEXT,
            "client_uuid": _OF_CLIENT,
            "client_id": _OF_CLIENT,
            "kid": {"type": ["string", "null"], "description": "of a key of the realm"},
            "rotation_id": {"type": ["string", "null"]},
            "since": TIME,
            "ends_at": MAYBE_TIME,
            "text": TEXT,
            "advice": TEXT,
            "detail": TEXT,
            "delivery": {
                "enum": [*DeliveryState, None],
                "description": "state of the webhook about it; null if none was made",
            },
        }
    ),
}
