"""Descriptions of identity providers: the issuers that a realm trusts for clients' assertions."""

from typing import Final

from keyturn_credentials.web.openapi.builders import (
    TEXT,
    Body,
    Content,
    Operation,
    array_of,
    done,
    json_content,
    reference,
)

_ALL: Final = "/admin/realms/{realm}/identity-provider/instances"
_ONE: Final = f"{_ALL}/{{alias}}"
_SCHEMA: Final = "IdentityProviderRepresentation"

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", _ALL): Operation(
        "List the issuers that the realm trusts for clients' assertions.",
        {200: json_content("Identity providers.", array_of(_SCHEMA))},
    ),
    ("POST", _ALL): Operation(
        "Trust an issuer.",
        {201: Content("Created.", {}, ("Location",))},
        refusals=(409,),
        body=Body(reference(_SCHEMA)),
        changes=True,
    ),
    ("GET", _ONE): Operation(
        "Show an issuer.", {200: json_content("The identity provider.", reference(_SCHEMA))}
    ),
    ("PUT", _ONE): Operation(
        "Change an issuer. Absent members are left unchanged; revocations are never undone.",
        done("Changed."),
        refusals=(409,),
        body=Body(reference(_SCHEMA)),
        changes=True,
        takes_version=True,
    ),
    ("DELETE", _ONE): Operation(
        "Stop trusting an issuer. No assertion of it is accepted any more.",
        done(),
        changes=True,
        takes_version=True,
    ),
    ("GET", f"{_ONE}/keys"): Operation(
        "List the issuer's keys as fetched by the fleet, including revoked ones.",
        {200: json_content("Keys.", array_of("ClientKey"))},
    ),
    ("POST", f"{_ONE}/keys/{{thumbprint}}/revoke"): Operation(
        "Revoke a key of the issuer permanently, under any kid, whatever it publishes.",
        done(),
        refusals=(409,),
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_ONE}/revoke-subject"): Operation(
        "Refuse a subject of the issuer permanently, whatever clients name it or match it.",
        done(),
        refusals=(409,),
        body=Body({"type": "object", "properties": {"subject": TEXT}, "required": ["subject"]}),
        changes=True,
        takes_version=True,
    ),
    ("GET", f"{_ONE}/reload-keys"): Operation(
        "Clear the issuer's fetched keys, including a fetch in progress.",
        {200: json_content("true.", {"type": "boolean"})},
        changes=True,
        takes_version=True,
    ),
}
