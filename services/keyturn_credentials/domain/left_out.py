"""Removal of unsupported settings from an export, with a note for each. Pure.

A request with such settings is refused. An export is imported without them, and its operator decides about
the notes.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import MAX_ASSERTION_LIFETIME, MAX_TOKEN_LIFESPAN
from keyturn_credentials.domain.client_members import CLIENT_ATTRIBUTES, CLIENT_MEMBERS
from keyturn_credentials.domain.client_scopes import CLIENT_SCOPES
from keyturn_credentials.domain.identity_provider_members import PROVIDER_MEMBERS
from keyturn_credentials.domain.imported_mappers import usable_mappers
from keyturn_credentials.domain.members import Members, unknown_names, without_effect
from keyturn_credentials.domain.realm import MAX_ACCESS_TOKEN_LIFESPAN
from keyturn_credentials.domain.realm_keys import DEFAULT_SIGNATURE_ALG
from keyturn_credentials.domain.realm_members import REALM_ATTRIBUTES, REALM_MEMBERS
from keyturn_credentials.domain.redirect_uris import has_forbidden_scheme
from keyturn_credentials.domain.representation import ID
from keyturn_credentials.domain.trusted_issuer_changes import is_for_assertions, read_issuer
from keyturn_credentials.domain.trusted_issuers import IDENTITY_PROVIDERS
from keyturn_credentials.errors import InvalidRequestError, LimitReachedError
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES

_SHOWN: Final = 100
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}\Z")
_LIFESPAN: Final = "accessTokenLifespan"
_MAX_SECONDS: Final = {
    attributes.ACCESS_TOKEN_LIFESPAN: MAX_TOKEN_LIFESPAN,
    attributes.SIGNING_MAX_EXP: MAX_ASSERTION_LIFETIME,
}
_IN_KEYCLOAK: Final = "-1 means as long as a session, and there are none: the realm's lifespan applies"


def of_client(representation: dict[str, Any]) -> list[str]:
    """Remove a client's unsupported settings. Return the notes."""
    notes = _members(representation, CLIENT_MEMBERS)
    notes += _id(representation)
    notes += usable_mappers(representation)
    uris = representation.get("redirectUris")
    if isinstance(uris, list) and (forbidden := [uri for uri in uris if has_forbidden_scheme(uri)]):
        representation["redirectUris"] = [uri for uri in uris if uri not in forbidden]
        notes.append(f"redirectUris: {len(forbidden)} that run a script are left out")
    values = representation.get("attributes")
    if isinstance(values, dict):
        representation["attributes"] = values = dict(values)
        notes += _attributes(values, CLIENT_ATTRIBUTES)
        notes += _lifespans(values)
        notes += _two_key_sets(values)
    return notes


def of_realm(representation: dict[str, Any]) -> list[str]:
    """Remove a realm's unsupported settings. Return the notes."""
    notes = _members(representation, REALM_MEMBERS)
    notes += _id(representation)
    alg = representation.get(DEFAULT_SIGNATURE_ALG)
    if alg not in (None, "") and not (isinstance(alg, str) and alg in ASYMMETRIC_NAMES):
        del representation[DEFAULT_SIGNATURE_ALG]
        notes.append(f"{DEFAULT_SIGNATURE_ALG} {str(alg)[:_SHOWN]} is left out: realms do not sign with it")
    lifespan = representation.get(_LIFESPAN)
    if type(lifespan) is int and not 1 <= lifespan <= MAX_ACCESS_TOKEN_LIFESPAN:
        notes.append(_shortened(representation, _LIFESPAN, lifespan, MAX_ACCESS_TOKEN_LIFESPAN))
    notes += _identity_providers(representation)
    notes += _client_scopes(representation)
    values = representation.get("attributes")
    if isinstance(values, dict):
        representation["attributes"] = values = dict(values)
        values.pop(attributes.UNFINISHED_IMPORT, None)  # the mark of another realm's import
        notes += _attributes(values, REALM_ATTRIBUTES)
    return notes


def _identity_providers(representation: dict[str, Any]) -> list[str]:
    """Remove identity providers that cannot be taken over, each of those with client assertions with a
    note."""
    notes, taken = [], []
    given = representation.pop(IDENTITY_PROVIDERS, None)
    for entry in given if isinstance(given, list) else ():
        if not isinstance(entry, Mapping) or not is_for_assertions(entry):
            continue
        known = {name: value for name, value in entry.items() if name in PROVIDER_MEMBERS}
        try:
            read_issuer(known)
        except (InvalidRequestError, LimitReachedError) as error:
            notes.append(f"identity provider {str(entry.get('alias'))[:_SHOWN]} is left out: {error.detail}")
        else:
            taken.append(known)
    if taken:
        representation[IDENTITY_PROVIDERS] = taken
    return notes


def _client_scopes(representation: dict[str, Any]) -> list[str]:
    scopes = representation.get(CLIENT_SCOPES)
    if not isinstance(scopes, list):
        return []
    representation[CLIENT_SCOPES] = scopes = [
        dict(scope) if isinstance(scope, Mapping) else scope for scope in scopes
    ]
    return [
        f"client scope {str(scope.get('name'))[:_SHOWN]}: {note}"
        for scope in scopes
        if isinstance(scope, dict)
        for note in usable_mappers(scope)
    ]


def _members(representation: dict[str, Any], known: Members) -> list[str]:
    notes = []
    for name in unknown_names(representation, known):
        del representation[name]
        notes.append(f"{name[:_SHOWN]} is not known")
    for name, note in list(without_effect(representation, known)):
        del representation[name]
        notes.append(f"{name} is left out: {note}")
    return notes


def _attributes(values: dict[str, Any], known: Members) -> list[str]:
    notes = []
    for name, note in list(without_effect(values, known)):
        del values[name]
        notes.append(f"attribute {name} is left out: {note}")
    return notes


def _id(representation: dict[str, Any]) -> list[str]:
    """Remove an invalid id. Early Keycloak releases used names as ids, and hand-written files still do."""
    chosen = representation.get("id")
    if chosen is None or (isinstance(chosen, str) and (not chosen or ID.match(chosen))):
        return []
    del representation["id"]
    return [f"it has a new id: {str(chosen)[:_SHOWN]!r} is not 1 to 36 letters, digits or '-'"]


def _lifespans(values: dict[str, Any]) -> list[str]:
    notes = []
    for name, most in _MAX_SECONDS.items():
        text = str(values.get(name) or "").strip()
        if text and not (_WHOLE.match(text) and 1 <= int(text) <= most):
            notes.append(_shortened(values, name, int(text) if _WHOLE.match(text) else None, most))
    return notes


def _shortened(values: dict[str, Any], name: str, seconds: int | None, most: int) -> str:
    given = "not a number" if seconds is None else f"{seconds} seconds"
    if seconds is not None and seconds > most:
        values[name] = most
        return f"{name} is {given}: {most}, which is the most, applies"
    del values[name]
    reason = _IN_KEYCLOAK if seconds == -1 else f"{given} is none"
    return f"{name} is left out: {reason}"


def _two_key_sets(values: dict[str, Any]) -> list[str]:
    if not attributes.names_two_key_sets(values):
        return []
    del values[attributes.USE_JWKS_STRING]
    return [f"{attributes.USE_JWKS_STRING} is left out: the keys are those at {attributes.JWKS_URL}"]


def private_keys(values: Mapping[str, Any]) -> list[str]:
    """Return a note for each private key among a client's attributes. Parsing drops these attributes."""
    return [
        f"attribute {name} is a private key and was dropped"
        for name in values
        if name.endswith(f".{attributes.PRIVATE_KEY}")
    ]
