"""Conditions on the claims of assertions by trusted issuers, as they are written in attributes. Pure."""

from collections.abc import Mapping
from typing import Final

from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.projection import Conditions

MAX_CONDITIONS: Final = 20
"""Conditions of one client, and of one issuer."""
MAX_AUDIENCES: Final = 20
"""Accepted audiences of one client, and of one issuer."""
MAX_CONDITION_CHARACTERS: Final = 1024
"""Characters of a condition's name, of its value, and of an audience."""


def read_conditions(values: Mapping[str, str], name: str) -> Conditions:
    """Read a JSON object of claims and values. Raises InvalidRequestError."""
    text = values.get(name, "").strip()
    if not text:
        return {}
    try:
        conditions = strict_json.decode_object(text.encode())
    except MalformedError as error:
        raise InvalidRequestError(
            f'{name} must be a JSON object of claims and values, such as {{"ref": "refs/heads/main"}}:'
            f" {error.detail}"
        ) from None
    if len(conditions) > MAX_CONDITIONS:
        raise InvalidRequestError(
            f"{name} has {len(conditions)} conditions; at most {MAX_CONDITIONS} are allowed"
        )
    for claim, value in conditions.items():
        if not isinstance(value, str | int | float | bool):
            raise InvalidRequestError(f"{name}: {claim[:100]!r} must be a string, a number or a boolean")
        if not 0 < len(claim) <= MAX_CONDITION_CHARACTERS or len(str(value)) > MAX_CONDITION_CHARACTERS:
            raise InvalidRequestError(
                f"{name}: names and values must be at most {MAX_CONDITION_CHARACTERS} characters long"
            )
    return conditions


def read_audiences(values: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Read comma-separated audiences. Raises InvalidRequestError."""
    audiences = tuple(part.strip() for part in values.get(name, "").split(",") if part.strip())
    if len(audiences) > MAX_AUDIENCES:
        raise InvalidRequestError(
            f"{name} has {len(audiences)} audiences; at most {MAX_AUDIENCES} are allowed"
        )
    if any(len(audience) > MAX_CONDITION_CHARACTERS for audience in audiences):
        raise InvalidRequestError(f"{name}: an audience has more than {MAX_CONDITION_CHARACTERS} characters")
    return audiences
