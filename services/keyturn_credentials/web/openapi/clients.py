"""Descriptions of clients and their secrets."""

from typing import Final

from keyturn_credentials.domain.secrets import MAX_OVERLAP_SECONDS
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
    object_of,
    reference,
    showing,
)

_ALL: Final = "/admin/realms/{realm}/clients"
_ONE: Final = f"{_ALL}/{{uuid}}"
_SECRET: Final = f"{_ONE}/client-secret"
_CREDENTIAL: Final = {200: json_content("The secret.", reference("CredentialRepresentation"))}
_SEARCH: Final = {
    "clientId": TEXT,
    "search": {
        **FLAG,
        "description": "true: clientId matches any part of the client ID, ignoring case",
    },
    "q": {**TEXT, "description": "attributes: space-separated name:value pairs"},
}

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", _ALL): Operation(
        "List or search clients, ordered by client ID.",
        {200: json_content("Clients.", array_of("ClientRepresentation"))},
        query={
            **_SEARCH,
            "first": {**NUMBER, "description": "number of clients to skip"},
            "max": NUMBER,
            "viewableOnly": FLAG,
        },
    ),
    ("GET", "/admin/realms/{realm}/client-count"): Operation(
        "Count the clients that a search finds, up to 10,000.",
        {
            200: json_content(
                "The number, and whether there are more.",
                object_of({"count": NUMBER, "more": FLAG}, "count", "more"),
            )
        },
        query=_SEARCH,
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
    ("DELETE", _ONE): Operation(
        "Delete a client. The last administrator of realm master stays.",
        done(),
        refusals=(409,),
        changes=True,
        takes_version=True,
    ),
    ("GET", _SECRET): Operation("Show a client's secret.", _CREDENTIAL),
    ("POST", _SECRET): Operation(
        "Give the client a new secret; under a policy, the former one overlaps.",
        _CREDENTIAL,
        query={
            "overlap": {
                **NUMBER,
                "maximum": MAX_OVERLAP_SECONDS,
                "description": "for how many seconds the former secret stays valid this once, at most until"
                " it expires; by default as the policy says",
            }
        },
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
