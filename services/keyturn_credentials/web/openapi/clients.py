"""Descriptions of clients and their secrets."""

from typing import Final

from keyturn_credentials.web.openapi.builders import (
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
        "List or search clients, ordered by client ID.",
        {200: json_content("Clients.", array_of("ClientRepresentation"))},
        query={
            "clientId": TEXT,
            "search": {
                **FLAG,
                "description": "true: clientId matches any part of the client ID, ignoring case",
            },
            "q": {**TEXT, "description": "attributes: space-separated name:value pairs"},
            "first": {**NUMBER, "description": "number of clients to skip"},
            "max": NUMBER,
            "viewableOnly": FLAG,
        },
    ),
    ("POST", _ALL): Operation(
        "Create a client; a secret is generated unless one is given or none is needed.",
        {
            201: Content(
                "Created. The body is empty, unless the realm stores only digests of secrets: then it is"
                " JSON with id, clientId and the secret, which is shown only once.",
                {},
                ("Location", "ETag", "Keyturn-Notice"),
            )
        },
        refusals=(409,),
        body=Body(reference("NewClientRepresentation")),
        changes=True,
    ),
    ("GET", _ONE): showing("client", "ClientRepresentation"),
    ("PUT", _ONE): changing("client", "ClientRepresentation", "Keyturn-Notice"),
    ("DELETE", _ONE): Operation("Delete a client.", done(), changes=True, takes_version=True),
    ("GET", _SECRET): Operation("Show a client's secret.", _CREDENTIAL),
    ("POST", _SECRET): Operation(
        "Give the client a new secret; under a policy, the former one overlaps.",
        _CREDENTIAL,
        changes=True,
        takes_version=True,
    ),
    ("GET", f"{_SECRET}/rotated"): Operation("Show the former secret during the overlap.", _CREDENTIAL),
    ("DELETE", f"{_SECRET}/rotated"): Operation(
        "Revoke the former secret now.", done(), changes=True, takes_version=True
    ),
    ("GET", f"{_ONE}/installation/providers/{{provider}}"): Operation(
        "The configuration file of a Keycloak adapter: provider keycloak-oidc-keycloak-json.",
        {200: json_content("The file.", {"type": "object"})},
    ),
    ("POST", f"{_ONE}/push-revocation"): Operation(
        "Wait until every node applies the current notBefore, and list the nodes that do.",
        {200: json_content("The nodes.", reference("GlobalRequestResult"))},
    ),
}
