"""What is described of clients and their secrets."""

from typing import Final

from keyturn_credentials.web.openapi.describing import (
    FLAG,
    NUMBER,
    TEXT,
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

_ALL: Final = "/admin/realms/{realm}/clients"
_ONE: Final = f"{_ALL}/{{uuid}}"
_SECRET: Final = f"{_ONE}/client-secret"
_CREDENTIAL: Final = {200: json_content("The secret.", reference("CredentialRepresentation"))}

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", _ALL): Operation(
        "List or search clients, in order of their ids.",
        {200: json_content("Clients.", array_of("ClientRepresentation"))},
        query={
            "clientId": TEXT,
            "search": {**FLAG, "description": "whether clientId may be any part of the id, in any case"},
            "q": {**TEXT, "description": "attributes: name:value pairs apart by spaces"},
            "first": {**NUMBER, "description": "how many to pass over"},
            "max": NUMBER,
            "viewableOnly": FLAG,
        },
    ),
    ("POST", _ALL): Operation(
        "Make a client; it gets a secret unless it brings one or needs none.",
        {
            201: Content(
                "Made. Only where a digest of the secret is all that is kept there is content:"
                " JSON with id, clientId and the secret, shown this once.",
                {},
                ("Location", "ETag"),
            )
        },
        refusals=(409,),
        body=Body(reference("NewClientRepresentation")),
        changes=True,
    ),
    ("GET", _ONE): showing("client", "ClientRepresentation"),
    ("PUT", _ONE): changing("client", "ClientRepresentation"),
    ("DELETE", _ONE): Operation("Delete a client.", done(), changes=True, takes_version=True),
    ("GET", _SECRET): Operation("Show a client's secret.", _CREDENTIAL),
    ("POST", _SECRET): Operation(
        "Give the client a new secret; a policy lets the former one overlap.",
        _CREDENTIAL,
        changes=True,
        takes_version=True,
    ),
    ("GET", f"{_SECRET}/rotated"): Operation("Show the former secret while it overlaps.", _CREDENTIAL),
    ("DELETE", f"{_SECRET}/rotated"): Operation(
        "End the former secret now.", done(), changes=True, takes_version=True
    ),
    ("GET", f"{_ONE}/installation/providers/{{provider}}"): Operation(
        "The file that configures a Keycloak adapter: provider keycloak-oidc-keycloak-json.",
        {200: json_content("The file.", {"type": "object"})},
    ),
}
