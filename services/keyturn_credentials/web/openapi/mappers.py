"""Descriptions of protocol mappers of clients and client scopes."""

from typing import Final

from keyturn_credentials.domain.protocol_mappers import MAX_MAPPERS
from keyturn_credentials.web.openapi.builders import (
    Body,
    Content,
    Operation,
    array_of,
    done,
    json_content,
    reference,
)

_MAPPER: Final = "ProtocolMapperRepresentation"
_NOTICE: Final = "Keyturn-Notice"
_OWNERS: Final = {
    "/admin/realms/{realm}/clients/{uuid}/protocol-mappers": "client",
    "/admin/realms/{realm}/client-scopes/{scope}/protocol-mappers": "client scope",
}


def _operations(path: str, owner: str) -> dict[tuple[str, str], Operation]:
    listed = json_content("Protocol mappers.", array_of(_MAPPER))
    several = {"type": "array", "items": reference(_MAPPER), "maxItems": MAX_MAPPERS}
    return {
        ("GET", f"{path}/models"): Operation(f"List the {owner}'s protocol mappers.", {200: listed}),
        ("POST", f"{path}/models"): Operation(
            f"Add a protocol mapper to the {owner}.",
            {201: Content("Created.", {}, ("Location", _NOTICE))},
            refusals=(409,),
            body=Body(reference(_MAPPER)),
            changes=True,
            takes_version=True,
        ),
        ("POST", f"{path}/add-models"): Operation(
            f"Add several protocol mappers to the {owner}, all or none.",
            done("Done.", _NOTICE),
            refusals=(409,),
            body=Body(several),
            changes=True,
            takes_version=True,
        ),
        ("GET", f"{path}/protocol/{{protocol}}"): Operation(
            f"List the {owner}'s protocol mappers for one protocol.", {200: listed}
        ),
        ("GET", f"{path}/models/{{mapper}}"): Operation(
            "Show a protocol mapper.", {200: json_content("The protocol mapper.", reference(_MAPPER))}
        ),
        ("PUT", f"{path}/models/{{mapper}}"): Operation(
            "Replace a protocol mapper. Absent settings are removed.",
            done("Changed.", _NOTICE),
            refusals=(409,),
            body=Body(reference(_MAPPER)),
            changes=True,
            takes_version=True,
        ),
        ("DELETE", f"{path}/models/{{mapper}}"): Operation(
            "Remove a protocol mapper. Introspection no longer shows its claim.",
            done(),
            changes=True,
            takes_version=True,
        ),
    }


OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    key: operation for path, owner in _OWNERS.items() for key, operation in _operations(path, owner).items()
}
