"""The person in verified claims: name and groups. Pure."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.oidc.claim_path import ClaimPath
from keyturn_credentials.oidc.errors import Refusal, SignInError

MAX_NAME_CHARACTERS: Final = 100
_OTHER_NAMES: Final = ("preferred_username", "email")
_EMAIL: Final = ClaimPath(("email",))


def groups_in(claims: Mapping[str, Any], path: ClaimPath, subject: str) -> tuple[str, ...]:
    """Return the values at this path: a text is one group. Raises SignInError for any other type, and for an
    address that the provider has not verified."""
    value = path.find(claims)
    if value is None:
        return ()
    if path == _EMAIL and claims.get("email_verified") is not True:
        raise SignInError(Refusal.GROUPS_UNREADABLE, "email is not verified", subject=subject)
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise SignInError(
            Refusal.GROUPS_UNREADABLE,
            f"{'.'.join(path.parts)} is neither a text nor a list of texts",
            subject=subject,
        )
    return tuple(values)


def name_in(claims: Mapping[str, Any], path: ClaimPath, subject: str) -> str:
    """Return a name for display: that at the path, another one, or else the subject."""
    for value in (path.find(claims), *(claims.get(name) for name in _OTHER_NAMES)):
        if isinstance(value, str) and (name := _printable(value)):
            return name
    return subject


def _printable(text: str) -> str:
    """Return a text in one line, without characters that are invisible or change the order of others."""
    kept = (each if unicodedata.category(each)[0] != "C" else " " for each in text[: 4 * MAX_NAME_CHARACTERS])
    return " ".join("".join(kept).split())[:MAX_NAME_CHARACTERS].strip()
