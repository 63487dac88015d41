"""Descriptions of rotations and of secrets that expire."""

from typing import Final

from keyturn_credentials.domain.realm_key_rotations import REALM_KEY
from keyturn_credentials.domain.rotation import Alert, Kind, Reason, State, WaitsFor
from keyturn_credentials.domain.rotation_failure import FailureCode
from keyturn_credentials.domain.rotation_planning import Effect
from keyturn_credentials.web.openapi.builders import (
    FLAG,
    MAYBE_TIME,
    NUMBER,
    TEXT,
    TIME,
    Body,
    Content,
    Operation,
    Schema,
    array_of,
    json_content,
    object_of,
    record_of,
    reference,
)

_REALM: Final = "/admin/realms/{realm}"
_ALL: Final = f"{_REALM}/rotations"
_OF_CLIENT: Final = f"{_REALM}/clients/{{uuid}}/rotations"
_ONE: Final = f"{_ALL}/{{rotation}}"
_MAYBE_TEXT: Final[Schema] = {"type": ["string", "null"], "description": "null for a key of the realm"}
_LISTED: Final = {200: json_content("Rotations, newest first.", array_of("Rotation"))}


def _move(summary: str) -> Operation:
    content = {200: json_content("The rotation.", reference("Rotation"))}
    return Operation(summary, content, refusals=(409,), changes=True)


OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", _ALL): Operation(
        "List the realm's rotations, newest first.",
        _LISTED,
        query={
            "state": {**TEXT, "description": "comma-separated; open: all that have not ended"},
            "kind": {"enum": [*Kind, REALM_KEY], "description": "realm_key only if asked for"},
            "max": NUMBER,
        },
    ),
    ("GET", f"{_ALL}/plan"): Operation(
        "List what policies will do to the realm's secrets and keys, soonest first.",
        {200: json_content("The plan.", array_of("PlannedRotation"))},
        query={"days": {**NUMBER, "description": "90 if absent"}, "max": NUMBER},
    ),
    ("POST", f"{_ALL}/plan"): Operation(
        "List what a policy would do, soonest first, and store nothing: that of the realm, or of a client.",
        {200: json_content("The plan.", array_of("PlannedRotation"))},
        query={"days": {**NUMBER, "description": "90 if absent"}, "max": NUMBER},
        body=Body(reference("PolicyTrial")),
    ),
    ("GET", _OF_CLIENT): Operation(
        "List a client's rotations, newest first.", _LISTED, query={"max": NUMBER}
    ),
    ("POST", _OF_CLIENT): Operation(
        "Rotate the client's secret or key now. The former one is accepted until the client has used the new"
        " one and the overlap has passed; if it is compromised, it ends at once.",
        {201: Content("Begun.", {"application/json": reference("Rotation")}, ("Location",))},
        refusals=(409,),
        body=Body(reference("NewRotation")),
        changes=True,
        takes_version=True,
    ),
    ("GET", _ONE): Operation("Show a rotation.", {200: json_content("The rotation.", reference("Rotation"))}),
    ("POST", f"{_ONE}/pause"): _move("Pause a rotation: its client keeps the credentials that it has."),
    ("POST", f"{_ONE}/resume"): _move("Let a paused rotation move on."),
    ("POST", f"{_ONE}/cancel"): _move(
        "Give a rotation up: the former credential is the only one again. Too late once it has ended."
    ),
    ("POST", f"{_ONE}/delivered"): _move("Confirm that the client has the new credential."),
}

SCHEMAS: Final[dict[str, Schema]] = {
    "ExpiringSecret": record_of(
        {
            "client_uuid": TEXT,
            "client_id": TEXT,
            "enabled": FLAG,
            "stage": {"enum": ["in_force", "due", "overlapping", "expired"]},
            "created_at": TIME,
            "due_at": MAYBE_TIME,
            "expires_at": MAYBE_TIME,
            "former_ends_at": MAYBE_TIME,
            "next_at": MAYBE_TIME,
            "own_policy": FLAG,
        }
    ),
    "Rotation": record_of(
        {
            "id": TEXT,
            "client_uuid": _MAYBE_TEXT,
            "client_id": _MAYBE_TEXT,
            "kind": {"enum": [*Kind, REALM_KEY]},
            "reason": {"enum": [*Reason]},
            "state": {"enum": [*State]},
            "paused": FLAG,
            "waits_for": {"enum": [*WaitsFor, None]},
            "alert": {"enum": [*Alert, None]},
            "failure": {
                "anyOf": [
                    record_of({"code": {"enum": [*FailureCode]}, "detail": TEXT}),
                    {"type": "null"},
                ],
                "description": "why it could not go on; null in every other state than failed",
            },
            "created_at": TIME,
            "start_at": TIME,
            "deadline": MAYBE_TIME,
            "retire_at": MAYBE_TIME,
            "keys": {
                "anyOf": [
                    record_of(
                        {
                            "former": {"type": ["array", "null"], "items": TEXT},
                            "successors": {"type": "array", "items": TEXT},
                            "published": FLAG,
                        }
                    ),
                    {"type": "null"},
                ],
                "description": "thumbprints (RFC 7638), or kids of a realm's keys",
            },
            "history": {
                "type": "array",
                "items": record_of(
                    {
                        "state": {"enum": [*State]},
                        "at": TIME,
                        "sequence": {"type": ["integer", "null"], "description": "of its event"},
                    }
                ),
            },
        }
    ),
    "NewRotation": object_of(
        {
            "kind": {"enum": [*Kind]},
            "reason": {"enum": [Reason.MANUAL, Reason.COMPROMISED]},
            "jwk": {"type": "object", "description": "the next public key (RFC 7517), to register"},
        }
    ),
    "PolicyTrial": object_of(
        {
            "client_uuid": {**TEXT, "description": "of the client whose policy it is; absent: of the realm"},
            "attributes": {
                "type": "object",
                "additionalProperties": TEXT,
                "description": "those of the policy that change; an empty one is removed",
            },
        },
        "attributes",
    ),
    "PlannedRotation": record_of(
        {
            "client_uuid": TEXT,
            "client_id": TEXT,
            "at": TIME,
            "expires_at": {**MAYBE_TIME, "description": "null for a key"},
            "effect": {"enum": [*Effect]},
            "kind": {"enum": [*Kind]},
        }
    ),
}
