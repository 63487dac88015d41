"""Descriptions of realms: themselves, their keys, imports and exports."""

from typing import Final

from keyturn_credentials.web.openapi.builders import (
    FLAG,
    Body,
    Content,
    Operation,
    array_of,
    changing,
    done,
    json_content,
    reference,
    showing,
)

_ALL: Final = "/admin/realms"
_ONE: Final = f"{_ALL}/{{realm}}"

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", _ALL): Operation(
        "List the realms in which the caller has a role.",
        {200: json_content("Realms.", array_of("RealmRepresentation"))},
        query={"briefRepresentation": FLAG},
    ),
    ("POST", _ALL): Operation(
        "Create a realm, with clients if the representation has any: all or nothing.",
        {
            201: Content(
                "Created. The body is empty, unless there are clients and report is true: then it is JSON, as"
                " of partialImport.",
                {},
                ("Location", "ETag"),
            )
        },
        refusals=(409,),
        query={"report": FLAG},
        body=Body(reference("NewRealmRepresentation")),
        changes=True,
    ),
    ("GET", _ONE): showing("realm", "RealmRepresentation"),
    ("PUT", _ONE): changing("realm", "RealmRepresentation"),
    ("DELETE", _ONE): Operation("Delete a realm with its clients.", done(), changes=True, takes_version=True),
    ("GET", f"{_ONE}/keys"): Operation(
        "List the realm's signing keys.",
        {200: json_content("Keys.", reference("KeysMetadataRepresentation"))},
    ),
    ("POST", f"{_ONE}/keys/rotate"): Operation(
        "Rotate the signing keys now: the next key signs, the current one only verifies. With revoke,"
        " new keys replace all of them, and every token of the realm becomes invalid.",
        done(),
        refusals=(409,),
        query={"revoke": FLAG},
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_ONE}/clear-keys-cache"): Operation(
        "Clear the key sets fetched for the realm's clients, including fetches in progress.",
        done(),
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_ONE}/partialImport"): Operation(
        "Import the clients of a Keycloak export, and report what could not be imported.",
        {200: json_content("The outcome for each client.", reference("PartialImportResults"))},
        refusals=(409,),
        query={"dryRun": FLAG},
        body=Body(reference("PartialImport")),
        changes=True,
    ),
    ("POST", f"{_ONE}/partial-export"): Operation(
        "Export the realm, with its clients if requested; secrets are masked.",
        {200: json_content("The export.", reference("RealmExport"))},
        query={"exportClients": FLAG, "exportGroupsAndRoles": FLAG},
    ),
    ("POST", f"{_ONE}/push-revocation"): Operation(
        "Wait until every node applies the current notBefore, and list the nodes that do.",
        {200: json_content("The nodes.", reference("GlobalRequestResult"))},
    ),
}
