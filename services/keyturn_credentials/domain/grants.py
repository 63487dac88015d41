"""Scopes and audiences of a client's access tokens; a client's own are bounded so that verifiers can read a
token that contains them all. Pure functions."""

from typing import Final

import msgspec

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_scopes import (
    default_scopes_of_realm,
    optional_scopes_of_realm,
    removed_scopes_of_realm,
    scopes_of_other_protocols,
)
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.compact import MAX_TOKEN_BYTES

MAX_GRANT_BYTES: Final = 6144
"""Maximum JSON size in bytes of a client's own scope lists and audiences. A token with all of them fits, even
with the longest names of realm and client. Scopes inherited from the realm are bounded separately
(``MAX_REALM_SCOPE_BYTES``), as are roles and mapped claims: if these make a token longer than verifiers read,
the token endpoint answers ``invalid_scope``."""

DEFAULT_SCOPES: Final = "defaultClientScopes"
OPTIONAL_SCOPES: Final = "optionalClientScopes"


def own_scopes_of(client: Client, field: str) -> tuple[str, ...] | None:
    """Return the names in ``field`` (``DEFAULT_SCOPES`` or ``OPTIONAL_SCOPES``); None if the client inherits
    its realm's."""
    value = client.document.get(field)
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else None


def scopes_of(realm: Realm, client: Client) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the client's default and optional scopes."""
    default, optional = own_scopes_of(client, DEFAULT_SCOPES), own_scopes_of(client, OPTIONAL_SCOPES)
    # Removed scopes, and those of other protocols, which Keycloak does not list for OpenID Connect clients.
    hidden = removed_scopes_of_realm(realm) | scopes_of_other_protocols(realm)
    return (
        tuple(each for each in _own_or(default, default_scopes_of_realm(realm)) if each not in hidden),
        tuple(each for each in _own_or(optional, optional_scopes_of_realm(realm)) if each not in hidden),
    )


def _own_or(own: tuple[str, ...] | None, of_realm: tuple[str, ...]) -> tuple[str, ...]:
    return of_realm if own is None else own


def audiences_of(client: Client) -> tuple[str, ...]:
    """Return the audiences that its access tokens may have."""
    return attributes.words(client.attributes, attributes.AUDIENCES)


def check_grants(before: Client, after: Client) -> None:
    """Raise InvalidRequestError if a change leaves more own scopes and audiences than ``MAX_GRANT_BYTES``
    allows. A change that does not touch them is accepted, even if an earlier build stored too many."""
    size = _size(after)
    if size <= MAX_GRANT_BYTES or _granted(before) == _granted(after):
        return
    raise InvalidRequestError(
        f"{DEFAULT_SCOPES}, {OPTIONAL_SCOPES} and attribute {attributes.AUDIENCES} take {size} bytes"
        f" together, but at most {MAX_GRANT_BYTES} are allowed, so that a token containing all of them can"
        f" stay within {MAX_TOKEN_BYTES} bytes"
    )


def _granted(client: Client) -> tuple[tuple[str, ...], ...]:
    default, optional = own_scopes_of(client, DEFAULT_SCOPES), own_scopes_of(client, OPTIONAL_SCOPES)
    return default or (), optional or (), audiences_of(client)


def _size(client: Client) -> int:
    default, optional, audiences = _granted(client)
    return len(msgspec.json.encode((" ".join((*default, *optional)), audiences)))
