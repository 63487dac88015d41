"""A realm of a running Keycloak as one document, as ``kc.sh export`` would write it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from keyturn.migrate.keycloak import DeniedError, Keycloak, KeycloakError, MissingError

CONCURRENCY: Final = 8
"""Clients read at a time."""
_TELL_EVERY: Final = 500
_WITH_SECRET: Final = frozenset({"client-secret", "client-secret-jwt"})
Role = dict[str, Any]


async def read_keycloak(
    keycloak: Keycloak, realm: str, progress: Callable[[int], None] = lambda read: None
) -> dict[str, Any]:
    """Return a realm with its clients, their roles and secrets, and the roles of their service accounts.
    ``progress``: called with the number of clients read. Raises KeycloakError."""
    return await _RealmReader(keycloak, realm, progress).read()


class _RealmReader:
    """Reads one realm. Up to five calls for each client, several clients at a time."""

    def __init__(self, keycloak: Keycloak, realm: str, progress: Callable[[int], None]) -> None:
        self._keycloak = keycloak
        self._path = f"admin/realms/{quote(realm, safe='')}"
        self._progress = progress
        self._clients: list[dict[str, Any]] = []
        self._roles: dict[str, list[Role]] = {}
        self._users: dict[str, dict[str, Any]] = {}
        self._scopes: dict[str, Mapping[str, Any]] = {}

    async def read(self) -> dict[str, Any]:
        document = await self._keycloak.partial_export(self._path)
        if not isinstance(document.get("realm"), str):
            raise KeycloakError(f"{self._path}/partial-export has no realm: is this Keycloak's admin API?")
        async for page in self._keycloak.pages(f"{self._path}/clients"):
            self._clients += [client for client in page if isinstance(client.get("clientId"), str)]
        waiting = iter(self._clients)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENCY):
                    group.create_task(self._read_clients(waiting))
        except* KeycloakError as errors:
            raise errors.exceptions[0] from None
        self._clients = [client for client in self._clients if client["clientId"] in self._roles]
        self._progress(len(self._roles))
        order = [client["clientId"] for client in self._clients]
        roles = document.get("roles")
        document["roles"] = {
            **(roles if isinstance(roles, dict) else {}),
            "client": {name: self._roles[name] for name in order if self._roles[name]},
        }
        document["clients"] = self._clients
        document["users"] = [self._users[name] for name in order if name in self._users]
        self._add_scope_mappings(document)
        return document

    async def _read_clients(self, waiting: Iterator[dict[str, Any]]) -> None:
        for client in waiting:
            path = f"{self._path}/clients/{quote(str(client.get('id')), safe='')}"
            try:
                await self._read_client(path, client)
            except MissingError:
                if await self._is_there(path):
                    raise
            if len(self._roles) % _TELL_EVERY == 0:
                self._progress(len(self._roles))

    async def _read_client(self, path: str, client: dict[str, Any]) -> None:
        client_id = client["clientId"]
        secret = await self._secret_of(path, client)
        if secret is None:
            client.pop("secret", None)
        else:
            client["secret"] = secret
        if client.get("serviceAccountsEnabled"):
            self._users[client_id] = await self._service_account(path, client_id)
        if client.get("fullScopeAllowed") is False:
            self._scopes[client_id] = await self._keycloak.get(f"{path}/scope-mappings")
        self._roles[client_id] = await self._roles_of(path)

    async def _is_there(self, path: str) -> bool:
        """Return whether the client was not deleted meanwhile."""
        try:
            await self._keycloak.get(path)
        except MissingError:
            return False
        return True

    async def _secret_of(self, path: str, client: Mapping[str, Any]) -> str | None:
        """Return the client's secret, None if it has none or the administrator may not read it."""
        secret = client.get("secret")
        if isinstance(secret, str) and set(secret) - {"*"}:
            return secret
        authenticator = client.get("clientAuthenticatorType") or "client-secret"
        if client.get("publicClient") or client.get("bearerOnly") or authenticator not in _WITH_SECRET:
            return None
        try:
            found = await self._keycloak.get(f"{path}/client-secret")
        except DeniedError:
            return None
        value = found.get("value")
        return value if isinstance(value, str) and set(value) - {"*"} else None

    async def _service_account(self, path: str, client_id: str) -> dict[str, Any]:
        user = await self._keycloak.get(f"{path}/service-account-user")
        of_user = f"{self._path}/users/{quote(str(user.get('id')), safe='')}"
        found = await self._keycloak.get(f"{of_user}/role-mappings")
        groups = await self._keycloak.get_all(f"{of_user}/groups", briefRepresentation="true")
        return {
            "id": user.get("id"),
            "username": user.get("username"),
            "enabled": user.get("enabled"),
            "serviceAccountClientId": client_id,
            "realmRoles": _names(found.get("realmMappings")),
            "clientRoles": dict(_by_client(found)),
            "groups": [str(group.get("path")) for group in groups],
        }

    async def _roles_of(self, path: str) -> list[Role]:
        roles = await self._keycloak.get_all(f"{path}/roles", briefRepresentation="false")
        for role in roles:
            if role.get("composite"):
                role["composites"] = await self._composites_of(role)
        return roles

    async def _composites_of(self, role: Role) -> dict[str, Any]:
        """Return the parts of a role as an export has them: by name, not by id."""
        parts = await self._keycloak.get_all(
            f"{self._path}/roles-by-id/{quote(str(role.get('id')), safe='')}/composites"
        )
        by_id = {client.get("id"): client["clientId"] for client in self._clients}
        of_realm, by_client = [], dict[str, list[str]]()
        for part in parts:
            name = str(part.get("name"))
            if not part.get("clientRole"):
                of_realm.append(name)
            elif (owner := by_id.get(str(part.get("containerId")))) is not None:
                by_client.setdefault(owner, []).append(name)
        return {"realm": of_realm, "client": by_client}

    def _add_scope_mappings(self, document: dict[str, Any]) -> None:
        """Add the roles in the scope of clients to those in the scope of client scopes."""
        of_realm = _entries(document.get("scopeMappings"))
        of_clients = document.get("clientScopeMappings")
        by_owner: dict[str, list[Any]] = {
            owner: _entries(entries)
            for owner, entries in (of_clients.items() if isinstance(of_clients, Mapping) else ())
        }
        for client in self._clients:
            found = self._scopes.get(client["clientId"], {})
            if names := _names(found.get("realmMappings")):
                of_realm.append({"client": client["clientId"], "roles": names})
            for owner, names in _by_client(found):
                by_owner.setdefault(owner, []).append({"client": client["clientId"], "roles": names})
        document["scopeMappings"], document["clientScopeMappings"] = of_realm, by_owner


def _by_client(found: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the roles of clients in Keycloak's MappingsRepresentation."""
    mappings = found.get("clientMappings")
    for name, mapping in mappings.items() if isinstance(mappings, Mapping) else ():
        yield name, _names(mapping.get("mappings") if isinstance(mapping, Mapping) else None)


def _entries(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _names(roles: object) -> list[str]:
    found = roles if isinstance(roles, list) else []
    return [role["name"] for role in found if isinstance(role, dict) and isinstance(role.get("name"), str)]
