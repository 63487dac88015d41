"""Description of evaluations."""

from typing import Any, Final

from keyturn_credentials.domain.evaluation import Result
from keyturn_credentials.domain.evaluation_request import (
    MAX_SCOPE_CHARACTERS,
    MAX_TARGET_CHARACTERS,
    MAX_TARGETS,
    SECRET_METHODS,
)
from keyturn_credentials.domain.secrets import MAX_SECRET_CHARACTERS
from keyturn_credentials.web.openapi.builders import (
    TEXT,
    Body,
    Operation,
    Schema,
    json_content,
    object_of,
    record_of,
    reference,
)
from keyturn_shared.jose.compact import MAX_TOKEN_BYTES
from keyturn_shared.oauth.client_authentication.credentials import ASSERTION_TYPE, SPIFFE_ASSERTION_TYPE

_MAYBE_TEXT: Final[Schema] = {"type": ["string", "null"]}
_TARGET: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": MAX_TARGET_CHARACTERS}
_TARGETS: Final[Schema] = {
    "oneOf": [_TARGET, {"type": "array", "items": _TARGET, "maxItems": MAX_TARGETS}, {"type": "null"}]
}


def _text(most: int, description: str) -> dict[str, Any]:
    return {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": most,
        "description": description,
    }


OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("POST", "/admin/realms/{realm}/clients/{uuid}/evaluate"): Operation(
        "Evaluate a token request of the client, or an access token, step by step, without effect. Testing"
        " a secret, or what one has signed, requires configure-clients.",
        {200: json_content("The evaluation.", reference("Evaluation"))},
        refusals=(429,),
        body=Body(reference("EvaluationRequest")),
    ),
}

SCHEMAS: Final[dict[str, Schema]] = {
    "EvaluationRequest": object_of(
        {
            "scope": _text(MAX_SCOPE_CHARACTERS, "as in a token request"),
            "resource": {**_TARGETS, "description": "as in a token request"},
            "audience": {**_TARGETS, "description": "as in a token request; with access_token, one at most"},
            "client_secret": _text(MAX_SECRET_CHARACTERS, "a secret to test"),
            "authentication_method": {"enum": [*SECRET_METHODS, None]},
            "client_assertion": _text(MAX_TOKEN_BYTES, "a client assertion to test"),
            "client_assertion_type": {"enum": [ASSERTION_TYPE, SPIFFE_ASSERTION_TYPE, None]},
            "access_token": _text(MAX_TOKEN_BYTES, "an access token to test, instead of a token request"),
        },
        description="At most one of client_secret, client_assertion and access_token.",
    ),
    "Evaluation": record_of(
        {
            "accepted": {"type": "boolean", "description": "no check failed"},
            "steps": {
                "type": "array",
                "items": record_of(
                    {
                        "check": TEXT,
                        "result": {"enum": [*Result]},
                        "detail": TEXT,
                        "advice": _MAYBE_TEXT,
                        "code": {**_MAYBE_TEXT, "description": "the refusal code, if the check failed"},
                    }
                ),
            },
            "token": {
                "type": ["object", "null"],
                "description": "header and claims, without a signature; null if refused",
                "properties": {"header": {"type": "object"}, "claims": {"type": "object"}},
                "required": ["header", "claims"],
            },
        }
    ),
}
