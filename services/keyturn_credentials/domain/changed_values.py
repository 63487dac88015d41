"""Old and new values of changed members, for the audit log. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_shared.jose import strict_json

MAX_VALUES: Final = 50
MAX_CHARACTERS: Final = 256
_ATTRIBUTE: Final = "attributes."
_KNOWN: Final = frozenset(
    value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)
) - {attributes.ROTATED_SECRET, attributes.PRIVATE_KEY}
"""Attributes that keyturn understands. None of them has a secret value, whatever its name is."""
_MEMBER: Final = re.compile(r"secret|passw|private|credential|registrationAccessToken|smtp", re.IGNORECASE)
_FOREIGN: Final = re.compile(
    r"secret|passw|private|credential|token|api.?key|signing.?key|seed", re.IGNORECASE
)


def values_of_client(client: Client) -> dict[str, Any]:
    """Return a client's members that are not secret, by the names in the audit log."""
    own = {
        "clientId": client.client_id,
        "enabled": client.enabled,
        "clientAuthenticatorType": client.authenticator,
    }
    return _without_secrets({**client.document, **own}, client.attributes)


def values_of_realm(realm: Realm) -> dict[str, Any]:
    """Return a realm's members that are not secret, by the names in the audit log."""
    return _without_secrets(
        {**realm.document, "realm": realm.name, "enabled": realm.enabled}, realm.attributes
    )


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the members that differ, each with its value ``from`` and ``to``, None for one that was, or is,
    not there: at most ``MAX_VALUES`` members, in order of their names, and long values cut."""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return {
        name: {"from": _shortened(before.get(name)), "to": _shortened(after.get(name))}
        for name in names[:MAX_VALUES]
    }


def _without_secrets(members: Mapping[str, Any], of_attributes: Mapping[str, str]) -> dict[str, Any]:
    """Leave out members whose name says that they may be a secret. An attribute that keyturn does not know
    may have anything in it."""
    kept = {name: value for name, value in members.items() if not _MEMBER.search(name)}
    return kept | {
        f"{_ATTRIBUTE}{name}": value
        for name, value in of_attributes.items()
        if name in _KNOWN or not _FOREIGN.search(name)
    }


def _shortened(value: Any) -> Any:
    text = value if isinstance(value, str) else strict_json.encode(value).decode()
    return value if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"
