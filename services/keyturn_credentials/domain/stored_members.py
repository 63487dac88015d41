"""Members stored by an earlier build that have no effect; today a change with them would be refused."""

from collections.abc import Iterator, Mapping
from typing import Any

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_members import CLIENT_ATTRIBUTES, CLIENT_MEMBERS
from keyturn_credentials.domain.client_scopes import scopes_of_realm
from keyturn_credentials.domain.mapper_effects import without_effect as mappers_without_effect
from keyturn_credentials.domain.members import Members, unknown_names, without_effect
from keyturn_credentials.domain.protocol_mappers import mappers_in
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.realm_keys import DEFAULT_SIGNATURE_ALG, signing_alg
from keyturn_credentials.domain.realm_members import REALM_ATTRIBUTES, REALM_MEMBERS
from keyturn_credentials.domain.token_algs import signs_with
from keyturn_credentials.domain.token_ending import NOT_BEFORE, check_not_before
from keyturn_credentials.domain.web_origins import has_too_many_origins
from keyturn_credentials.errors import InvalidRequestError


def not_in_force_of_client(client: Client, realm: Realm) -> list[str]:
    """Describe what has no effect in a stored client, a sentence for each."""
    found = list(_of_members(client.document, client.attributes, CLIENT_MEMBERS, CLIENT_ATTRIBUTES))
    known = signs_with(realm, client)
    if client.access_token_alg not in (None, *known):
        found.append(
            f"attribute {attributes.ACCESS_TOKEN_ALG}: it gets no tokens, the realm signs with"
            f" {', '.join(known)}"
        )
    found += mappers_without_effect(mappers_in(client.document, client.uuid), as_in_keycloak=False)
    if has_too_many_origins(client.document):
        found.append("webOrigins: too long for tokens, which have no claim allowed-origins")
    return found


def not_in_force_of_realm(realm: Realm) -> list[str]:
    """Describe what has no effect in a stored realm, a sentence for each."""
    found = list(_of_members(realm.document, realm.attributes, REALM_MEMBERS, REALM_ATTRIBUTES))
    named = realm.document.get(DEFAULT_SIGNATURE_ALG)
    if named not in (None, "", signing_alg(realm)):
        found.append(f"{DEFAULT_SIGNATURE_ALG}: the realm signs with {signing_alg(realm)}")
    for scope in scopes_of_realm(realm):
        if scope.is_for_tokens:
            notes = mappers_without_effect(scope.mappers, as_in_keycloak=False)
            found += [f"client scope {scope.name}: {note}" for note in notes]
    return found


def _of_members(
    document: Mapping[str, Any], values: Mapping[str, str], members: Members, known: Members
) -> Iterator[str]:
    yield from (f"{name} is not known" for name in unknown_names(document, members))
    yield from (f"{name}: {note}" for name, note in without_effect(document, members))
    yield from (f"attribute {name}: {note}" for name, note in without_effect(values, known))
    try:
        check_not_before({NOT_BEFORE: document.get(NOT_BEFORE)})
    except InvalidRequestError as error:
        yield error.detail
