"""Changes to the issuers that a realm trusts, from Keycloak's representations. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from keyturn_credentials.domain import identity_provider_members as members
from keyturn_credentials.domain.bounds import check_document, check_text
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import is_thumbprint
from keyturn_credentials.domain.members import Meaning, refuse_unknown, refuse_without_effect
from keyturn_credentials.domain.private_key_guard import refuse_private_keys
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.domain.trusted_issuers import (
    IDENTITY_PROVIDERS,
    PROVIDERS,
    TrustedIssuer,
    check_issuer,
    issuers_of_realm,
    require_issuer,
    with_issuers,
)
from keyturn_credentials.errors import ConflictError, InvalidRequestError, LimitReachedError
from keyturn_shared.projection import MAX_SUBJECT_LENGTH

MAX_REVOKED: Final = 1000
"""Revoked keys of one issuer, and likewise revoked subjects: the realm's projection contains all of them."""
_LATEST: Final = 253_402_300_799
"""The last second of the year 9999."""
_ALIAS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}\Z")
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,36}\Z")


def with_new_issuer(realm: Realm, representation: Mapping[str, Any]) -> tuple[Realm, TrustedIssuer]:
    """Add an issuer. Raises InvalidRequestError and ConflictError."""
    issuer = read_issuer(representation)
    issuers = issuers_of_realm(realm)
    if any(each.alias == issuer.alias for each in issuers):
        raise ConflictError(f"Identity Provider {issuer.alias} already exists")
    if any(each.id == issuer.id for each in issuers):
        issuer = replace(issuer, id=str(uuid4()))
    return _with(realm, (*issuers, issuer)), issuer


def with_changed_issuer(realm: Realm, alias: str, representation: Mapping[str, Any]) -> Realm:
    """Apply a PUT of this representation to an issuer. Raises NotFoundError and InvalidRequestError."""
    return _with_one(realm, read_issuer(representation, require_issuer(realm, alias)))


def without_issuer(realm: Realm, alias: str) -> Realm:
    """Stop trusting an issuer. Raises NotFoundError."""
    require_issuer(realm, alias)
    return _with(realm, tuple(each for each in issuers_of_realm(realm) if each.alias != alias))


def with_revoked_key(realm: Realm, alias: str, thumbprint: str, now: float) -> Realm:
    """Refuse a key of the issuer forever. Raises NotFoundError, InvalidRequestError, LimitReachedError."""
    if not is_thumbprint(thumbprint):
        raise InvalidRequestError(
            "a thumbprint must be the base64url of 32 bytes: 43 characters (RFC 7638, SHA-256)"
        )
    issuer = require_issuer(realm, alias)
    return _with_one(realm, replace(issuer, revoked_keys=_with_entry(issuer.revoked_keys, thumbprint, now)))


def with_revoked_subject(realm: Realm, alias: str, subject: object, now: float) -> Realm:
    """Refuse a subject of the issuer forever. Raises NotFoundError, InvalidRequestError,
    LimitReachedError."""
    if not isinstance(subject, str) or not _is_subject(subject):
        raise InvalidRequestError(f"subject must be a string of 1 to {MAX_SUBJECT_LENGTH} characters")
    issuer = require_issuer(realm, alias)
    revoked = _with_entry(issuer.revoked_subjects, subject, now)
    return _with_one(realm, replace(issuer, revoked_subjects=revoked))


def with_cleared_keys(realm: Realm, alias: str, sequence: int) -> Realm:
    """Stop using keys of the issuer that were fetched before this sequence of the log."""
    return _with_one(realm, replace(require_issuer(realm, alias), keys_not_before=sequence))


def with_given_issuers(realm: Realm, given: object) -> Realm:
    """Add and change the issuers that a realm's representation names; others stay, and no revocation is
    undone. Identity providers for users' sign-in are left out. Raises InvalidRequestError."""
    if given is None:
        return realm
    if not isinstance(given, list) or not all(isinstance(entry, Mapping) for entry in given):
        raise InvalidRequestError(f"{IDENTITY_PROVIDERS} must be an array of objects")
    known = {issuer.alias: issuer for issuer in issuers_of_realm(realm)}
    before = dict(known)
    for entry in given:
        if is_for_assertions(entry):
            issuer = read_issuer(entry, before.get(str(entry.get("alias"))))
            known[issuer.alias] = issuer
    return realm if known == before else _with(realm, tuple(known.values()))


def check_identity(client: Client, realm: Realm) -> None:
    """Raise InvalidRequestError for a client whose realm can trust no issuer."""
    if realm.name == MASTER and client.federated is not None:
        raise InvalidRequestError(
            "clients of realm master administer keyturn: they have their own credentials, not federated-jwt"
        )


def is_for_assertions(representation: Mapping[str, Any]) -> bool:
    """Return whether an identity provider of Keycloak's states who clients are; others are for users."""
    provider, config = representation.get("providerId"), representation.get("config")
    if provider in ("kubernetes", "spiffe"):
        return True
    return (
        provider == "oidc" and isinstance(config, Mapping) and _text(config.get(members.ASSERTIONS)) == "true"
    )


def read_issuer(representation: Mapping[str, Any], before: TrustedIssuer | None = None) -> TrustedIssuer:
    """Read an issuer, or a change of one: absent members keep their values. Raises InvalidRequestError."""
    refuse_private_keys(representation)
    kept = {} if before is None else before.kept
    refuse_unknown(representation, members.PROVIDER_MEMBERS, {})
    refuse_without_effect(representation, members.PROVIDER_MEMBERS, {})
    alias = representation.get("alias") or (before.alias if before else None)
    if not isinstance(alias, str) or not _ALIAS.match(alias):
        raise InvalidRequestError("alias must be 1 to 255 characters long: letters, digits, '.', '_' or '-'")
    provider = representation.get("providerId") or (before.provider if before else None)
    if provider not in PROVIDERS:
        raise InvalidRequestError(
            f"providerId must be one of {', '.join(PROVIDERS)}: keyturn trusts identity providers for"
            " clients' assertions alone"
        )
    if before is not None and (alias != before.alias or provider != before.provider):
        raise InvalidRequestError("alias and providerId cannot be changed: clients refer to the alias")
    enabled = representation.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise InvalidRequestError("enabled must be a boolean")
    given = representation.get("config")
    config = dict(before.config) if given is None and before is not None else _read_config(given)
    if provider == "oidc" and config.get(members.ASSERTIONS) != "true":
        raise InvalidRequestError(
            f"{members.ASSERTIONS} must be true: keyturn trusts identity providers for clients' assertions"
            " alone"
        )
    more = {
        name: value
        for name, value in representation.items()
        if value is not None and members.PROVIDER_MEMBERS[name].meaning is not Meaning.SUPPORTED
    }
    for name, value in more.items():
        if isinstance(value, str):
            check_text(name, value)
    blank = before or TrustedIssuer(id=_read_id(representation), alias=alias, provider=provider)
    return check_issuer(
        replace(
            blank,
            enabled=blank.enabled if enabled is None else enabled,
            config=config,
            kept={**kept, **more},
            revoked_keys=_union(blank.revoked_keys, representation, members.REVOKED_KEYS, is_thumbprint),
            revoked_subjects=_union(
                blank.revoked_subjects, representation, members.REVOKED_SUBJECTS, _is_subject
            ),
        )
    )


def _read_id(representation: Mapping[str, Any]) -> str:
    chosen = representation.get("internalId") or str(uuid4())
    if not isinstance(chosen, str) or not _ID.match(chosen):
        raise InvalidRequestError("internalId must be 1 to 36 characters long: letters, digits or '-'")
    return chosen


def _read_config(given: object) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise InvalidRequestError("config must be an object with string values")
    refuse_unknown(given, members.CONFIG_MEMBERS, {})
    config: dict[str, str] = {}
    for name, value in given.items():
        if value is not None and not isinstance(value, str | bool):
            raise InvalidRequestError(f"config {name} must be a string")
        text = _text(value)
        if "\0" in text:
            raise InvalidRequestError(f"config {name} must not contain a NUL character")
        check_text(f"config {name}", text)
        if text and members.CONFIG_MEMBERS[name].meaning is not Meaning.DROPPED:
            config[name] = text
    refuse_without_effect(config, members.CONFIG_MEMBERS, {}, kind="config ")
    return config


def _text(value: object) -> str:
    """Return a value of the configuration as text: some writers use booleans."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else ""


def _union(
    before: Mapping[str, float],
    representation: Mapping[str, Any],
    name: str,
    is_name: Callable[[str], bool],
) -> Mapping[str, float]:
    given = representation.get(name) or {}
    if not isinstance(given, Mapping) or not all(
        is_name(each) and type(at) in (int, float) and 0 <= at <= _LATEST for each, at in given.items()
    ):
        raise InvalidRequestError(
            f"{name} must be an object with times: RFC 7638 thumbprints of keys, or subjects of 1 to"
            f" {MAX_SUBJECT_LENGTH} characters"
        )
    return _bounded({**given, **before})


def _is_subject(text: str) -> bool:
    return 0 < len(text) <= MAX_SUBJECT_LENGTH


def _with_entry(before: Mapping[str, float], name: str, now: float) -> Mapping[str, float]:
    # Revoked again, it keeps its first date, and the caller still gets a sequence to wait for.
    return _bounded({name: now, **before})


def _bounded(revoked: Mapping[str, float]) -> Mapping[str, float]:
    if len(revoked) > MAX_REVOKED:
        raise LimitReachedError(f"{len(revoked)} are revoked; the limit is {MAX_REVOKED} for one issuer")
    return revoked


def _with_one(realm: Realm, changed: TrustedIssuer) -> Realm:
    return _with(
        realm, tuple(changed if each.alias == changed.alias else each for each in issuers_of_realm(realm))
    )


def _with(realm: Realm, issuers: tuple[TrustedIssuer, ...]) -> Realm:
    if realm.name == MASTER and issuers:
        raise InvalidRequestError("realm master trusts no issuers: its clients administer keyturn")
    after = with_issuers(realm, issuers)
    check_document(after.document)
    return after
