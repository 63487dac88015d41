"""Roles that a service account was given, and those that it has with them. Pure.

A service account refers to roles by their ids: it keeps a role that is renamed, and does not get one that is
created again under the name of a deleted one.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.role_catalogue import (
    RoleKey,
    as_role_set,
    expanded,
    keys_by_id,
    role_id,
    roles_of_realm,
)
from keyturn_credentials.domain.service_account import MAX_ROLES, ServiceAccount
from keyturn_credentials.errors import LimitReachedError
from keyturn_shared.projection import RoleSet, service_account_name


def given_roles(realm: Realm, account: ServiceAccount) -> list[RoleKey]:
    """Return the roles that the account was given and that there still are."""
    if account.role_ids is not None:
        by_id = keys_by_id(realm)
        return [by_id[each] for each in account.role_ids if each in by_id]
    known = roles_of_realm(realm)
    return [key for key in _named(account) if key in known]


def effective_roles(realm: Realm, account: ServiceAccount) -> set[RoleKey]:
    """Return these roles with those that they are composed of."""
    return expanded(roles_of_realm(realm), given_roles(realm, account))


def named_roles(account: ServiceAccount) -> RoleSet:
    """Return the names under which the account was given its roles."""
    return as_role_set(_named(account))


def with_role_ids(realm: Realm, account: ServiceAccount) -> ServiceAccount:
    """Let an account refer to its roles by id, instead of by name as in an export."""
    if account.role_ids is not None:
        return account
    return _with(realm, account, given_roles(realm, account)) if _named(account) else account


def with_roles_given(
    realm: Realm, account: ServiceAccount, keys: Iterable[RoleKey], *, is_in: bool
) -> ServiceAccount:
    """Give the account these roles too, or take them away. Raises LimitReachedError."""
    named = list(keys)
    before = given_roles(realm, account)
    after = [*before, *named] if is_in else [key for key in before if key not in named]
    after = list(dict.fromkeys(after))
    if len(after) > max(MAX_ROLES, len(before)):
        raise LimitReachedError(
            f"the service account would have {len(after)} roles; at most {MAX_ROLES} are allowed: a composite"
            " role counts once"
        )
    return _with(realm, account, after)


def as_user(realm: Realm, client: Client) -> dict[str, Any]:
    """Represent a client's service account like Keycloak's export."""
    account = _with(realm, client.service_account, given_roles(realm, client.service_account))
    return {
        **replace(account, role_ids=None).as_stored(),
        "id": client.service_account_id,
        "username": service_account_name(client.client_id),
        "enabled": True,
        "serviceAccountClientId": client.client_id,
    }


def _with(realm: Realm, account: ServiceAccount, keys: Iterable[RoleKey]) -> ServiceAccount:
    given = list(keys)
    known = roles_of_realm(realm)
    names = as_role_set(given)
    ids = tuple(role_id(realm, key, known[key]) for key in given)
    return replace(account, realm_roles=names.realm, client_roles=names.client, role_ids=ids)


def _named(account: ServiceAccount) -> list[RoleKey]:
    named: list[RoleKey] = [(None, name) for name in account.realm_roles]
    named += [(client_id, name) for client_id, roles in account.client_roles.items() for name in roles]
    return named
