"""Conversion of booleans and numbers written as text, which Keycloak accepts and templates often contain.
Pure."""

from collections.abc import Mapping
from typing import Any, Final

BOOLEANS: Final = frozenset(
    {"alwaysDisplayInConsole", "authorizationServicesEnabled", "bearerOnly", "consentRequired"}
    | {"directAccessGrantsEnabled", "enabled", "frontchannelLogout", "fullScopeAllowed", "publicClient"}
    | {"implicitFlowEnabled", "serviceAccountsEnabled", "standardFlowEnabled", "surrogateAuthRequired"}
)
_WHOLE: Final = frozenset({"accessTokenLifespan", "nodeReRegistrationTimeout", "notBefore"})
_BY_TEXT: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MAX_DIGITS: Final = 10


def coerced(representation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the representation with such texts converted, or the same object if there are none. Texts that
    are neither a boolean nor a number stay, and are refused later."""
    texts = {
        name: _read(name, value)
        for name, value in representation.items()
        if isinstance(value, str) and (name in BOOLEANS or name in _WHOLE)
    }
    return {**representation, **texts} if texts else representation


def _read(name: str, text: str) -> Any:
    if name in BOOLEANS:
        return _BY_TEXT.get(text, text)
    digits = text.removeprefix("-")
    is_whole = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS
    return int(text) if is_whole else text
