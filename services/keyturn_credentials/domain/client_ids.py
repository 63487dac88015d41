"""Client ids that cannot be confused with others in a header, a log line or a list. Pure."""

import re
import unicodedata
from typing import Final

from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.projection import MAX_NAME_LENGTH

# Default-ignorable and blank characters that Unicode does not count among separators and controls.
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def check_client_id(identifier: str) -> None:
    """Raise InvalidRequestError for an id that a new client must not have.

    HTTP strips the spaces around a header's value (RFC 9110 section 5.5), and invisible characters cannot be
    compared: `` orders`` or ``or<U+200B>ders`` would look like ``orders``. Keycloak accepts them.
    """
    if not 0 < len(identifier) <= MAX_NAME_LENGTH:
        raise InvalidRequestError(
            f"clientId has {len(identifier)} characters; it must have 1 to {MAX_NAME_LENGTH}"
        )
    if identifier != identifier.strip(" "):
        raise InvalidRequestError(
            "clientId must not begin or end with a space: in a header it would look like another client"
        )
    for character in identifier:
        if not character.isprintable() or _BLANK.match(character):
            name = unicodedata.name(character, "a control character")
            raise InvalidRequestError(
                f"clientId has U+{ord(character):04X} ({name.lower()}) in it,"
                " which is invisible or looks like a space"
            )
