"""The document: descriptions joined with the actual routes and roles."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from keyturn_credentials.domain.attributes import CERTIFICATE_PREFIXES
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.web.openapi import (
    client_scopes,
    clients,
    evaluation,
    identity_providers,
    keys,
    mappers,
    monitoring,
    notices,
    realms,
    role_mappings,
    roles,
    rotations,
    scope_mappings,
    tools,
)
from keyturn_credentials.web.openapi.builders import Content, Operation, Schema, reference
from keyturn_credentials.web.openapi.role_schemas import ROLE_SCHEMAS
from keyturn_credentials.web.openapi.schemas import SCHEMAS

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    **realms.OPERATIONS,
    **clients.OPERATIONS,
    **client_scopes.OPERATIONS,
    **roles.OPERATIONS,
    **identity_providers.OPERATIONS,
    **mappers.OPERATIONS,
    **role_mappings.OPERATIONS,
    **scope_mappings.OPERATIONS,
    **keys.OPERATIONS,
    **evaluation.OPERATIONS,
    **monitoring.OPERATIONS,
    **notices.OPERATIONS,
    **rotations.OPERATIONS,
    **tools.OPERATIONS,
}
_IN_PATH: Final[Mapping[str, Schema]] = {
    "realm": {"type": "string", "description": "the realm's name"},
    "uuid": {"type": "string", "description": "the client's id, not its clientId"},
    "attr": {"enum": [*CERTIFICATE_PREFIXES]},
    "thumbprint": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
    "provider": {"type": "string"},
    "alias": {"type": "string", "description": "the identity provider's alias"},
    "scope": {"type": "string", "description": "the client scope's id"},
    "user": {"type": "string", "description": "the id of a client's service account"},
    "role": {"type": "string", "description": "the role's name; its id under roles-by-id"},
    "client": {
        "type": "string",
        "description": "the id of the client whose roles are meant, not its clientId",
    },
    "rotation": {"type": "string", "description": "the rotation's id"},
    "mapper": {"type": "string", "description": "the protocol mapper's id"},
    "protocol": {"type": "string", "description": "openid-connect"},
}
_HEADERS: Final[Mapping[str, Schema]] = {
    "Location": {"type": "string", "format": "uri"},
    "ETag": {"type": "string"},
    "Keyturn-Notice": {"type": "string", "description": "what was stored without effect"},
    "Keyturn-Sequence": {"type": "integer", "description": "sequence of the change's event"},
    "Keyturn-Fleet": {
        "type": "string",
        "description": "after a wait: nodes=3, applied=2, fenced=1, pending=0; or unknown",
    },
    "Preference-Applied": {
        "type": "string",
        "description": "wait: no node still answers from a state before the change",
    },
}
_OF_CHANGES: Final = ("Keyturn-Sequence", "Keyturn-Fleet", "Preference-Applied")
_REFUSED: Final = {
    400: "The request cannot be carried out as it is.",
    401: "Missing or invalid access token.",
    403: "The caller lacks a required role.",
    404: "Not found.",
    406: "An archive of this format cannot be created.",
    409: "It already exists, a limit has been reached, or no administrator would be left.",
    412: "It was changed by another request; read it again.",
    408: "The body was not received in time.",
    413: "The body is too large.",
    415: "The body has an unsupported media type.",
    429: "The caller has the maximum number of open streams, or evaluates too often.",
    503: "The database or Redis is unavailable, or the maximum number of streams is open.",
}


def document(endpoints: Mapping[tuple[str, str], Iterable[Role]]) -> dict[str, Any]:
    """Build the document. ``endpoints``: method and path of every route, and the roles of which its caller
    needs one. A test ensures that exactly these have a description."""
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), any_of in endpoints.items():
        if (operation := OPERATIONS.get((method, path))) is not None:
            described = _describe(path, operation, [role.value for role in any_of])
            paths.setdefault(path, {})[method.lower()] = {"operationId": _name(method, path), **described}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "keyturn admin API",
            "version": "1",
            "description": (
                "Realms, clients and their credentials, in the shapes of Keycloak's admin REST API. Every "
                "change is one event; `Prefer: wait=N` waits until no node still answers from before it."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS | ROLE_SCHEMAS | rotations.SCHEMAS | evaluation.SCHEMAS | notices.SCHEMAS,
            "parameters": {name: _parameter("path", name, schema) for name, schema in _IN_PATH.items()},
            "responses": {f"Refused{status}": _refusal(status) for status in _REFUSED},
            "headers": {name: {"schema": schema} for name, schema in _HEADERS.items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "RFC 9068"}},
        },
        "security": [{"token": []}],
    }


def _describe(path: str, operation: Operation, roles: list[str]) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", path)
    parameters: list[dict[str, Any]] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    parameters += [_parameter("query", name, schema) for name, schema in operation.query.items()]
    if operation.changes:
        parameters.append(_parameter("header", "Prefer", {"type": "string", "examples": ["wait=5"]}))
    if operation.takes_version:
        parameters.append(_parameter("header", "If-Match", {"type": "string", "examples": ['"1"', "*"]}))
    refusals = {400, 401, 403, 503, *operation.refusals}
    refusals |= ({404} if names else set()) | ({408, 413} if operation.body else set())
    refusals |= {412} if operation.takes_version else set()
    extra = _OF_CHANGES if operation.changes else ()
    answers = {str(status): _answer(content, extra) for status, content in operation.answers.items()}
    answers |= {
        str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in sorted(refusals)
    }
    described = {
        "summary": operation.summary,
        "description": f"Requires one of the roles {', '.join(roles)}.",
        "parameters": parameters,
        "responses": answers,
    }
    if operation.body is not None:
        content = {operation.body.media_type: {"schema": operation.body.schema}}
        described["requestBody"] = {"required": operation.body.required, "content": content}
    return described


def _parameter(place: str, name: str, schema: Schema) -> dict[str, Any]:
    return {"in": place, "name": name, "required": place == "path", "schema": schema}


def _answer(content: Content, extra: tuple[str, ...]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": content.description}
    if content.schemas:
        answer["content"] = {media_type: {"schema": schema} for media_type, schema in content.schemas.items()}
    if headers := (*content.headers, *extra):
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return answer


def _refusal(status: int) -> dict[str, Any]:
    return {
        "description": _REFUSED[status],
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }


def _name(method: str, path: str) -> str:
    """Make a name from which generators make function names: get_clients_uuid_keys."""
    parts = [part.strip("{}") for part in path.removeprefix("/admin/realms").split("/") if part]
    return re.sub(r"\W", "_", "_".join([method.lower(), "realms", *parts]))
