"""Keycloak's implicit defaults for imported realms, so that their resource servers get the tokens they
expect. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.realm_keys import DEFAULT_SIGNATURE_ALG

KEYCLOAK_ALG: Final = "RS256"
"""Keycloak's default."""
_OUR_OWN: Final = "keyturn."


def is_keycloaks(representation: Mapping[str, Any]) -> bool:
    """Return whether a representation is Keycloak's: it has clients or a version of Keycloak, and none of
    keyturn's own attributes."""
    if not representation.get("clients") and not representation.get("keycloakVersion"):
        return False
    values = representation.get("attributes")
    return not isinstance(values, Mapping) or not any(str(name).startswith(_OUR_OWN) for name in values)


def with_unsaid(representation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add Keycloak's default type and algorithm of tokens to a representation of Keycloak's that names none.
    keyturn's own exports name them."""
    values = representation.get("attributes") or {}
    if not is_keycloaks(representation) or not isinstance(values, Mapping):
        return representation
    written_out = {attributes.ACCESS_TOKEN_TYPE_RFC9068: "false", **values}
    alg = representation.get(DEFAULT_SIGNATURE_ALG) or KEYCLOAK_ALG
    return {**representation, "attributes": written_out, DEFAULT_SIGNATURE_ALG: alg}
