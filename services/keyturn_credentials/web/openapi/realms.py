"""What is described of realms: themselves, their keys, imports and exports."""

from typing import Final

from keyturn_credentials.web.openapi.describing import (
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
        "List the realms the caller has any role for.",
        {200: json_content("Realms.", array_of("RealmRepresentation"))},
    ),
    ("POST", _ALL): Operation(
        "Make a realm, with clients if the representation has any: all of them or nothing.",
        {201: Content("Made.", {}, ("Location", "ETag"))},
        refusals=(409,),
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
        "Rotate the signing keys now: the next one signs, the present one only verifies. With revoke, new"
        " ones take the place of all, and no token of the realm holds any more.",
        done(),
        query={"revoke": FLAG},
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_ONE}/clear-keys-cache"): Operation(
        "Forget the key sets fetched for the realm's clients, also those whose fetch is under way.",
        done(),
        changes=True,
        takes_version=True,
    ),
    ("POST", f"{_ONE}/partialImport"): Operation(
        "Take over the clients of a Keycloak export, and report what could not be.",
        {200: json_content("What became of each client.", reference("PartialImportResults"))},
        refusals=(409,),
        query={"dryRun": FLAG},
        body=Body(reference("PartialImport")),
        changes=True,
    ),
    ("POST", f"{_ONE}/partial-export"): Operation(
        "Export the realm, with its clients if asked for; secrets are masked.",
        {200: json_content("The export.", reference("RealmExport"))},
        query={"exportClients": FLAG, "exportGroupsAndRoles": FLAG},
    ),
}
