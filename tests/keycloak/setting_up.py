"""The realms and callers of a run, the same on both servers."""

from typing import Any

from tests.keycloak.keys import EC, RSA, key_set
from tests.keycloak.scenario import SECRET, admin, client, realm
from tests.keycloak.world import EXPIRED, FOREIGN, MANAGER, STRANGER, VIEWER, World

_ROLES = {VIEWER: ["view-clients"], MANAGER: ["manage-clients"]}

_JSON = {"Content-Type": "application/json"}


def set_up(keycloak: World, keyturn: World) -> None:
    """Create realms, and clients for the callers that scenarios name. Realm ``acme`` of keyturn is imported
    from Keycloak's export of its new realm, as an installation that moves would do it."""
    for world in (keycloak, keyturn):
        for name in ("acme", "closed", "neighbour"):
            world.send(admin("DELETE", f"/admin/realms/{name}"), world.scope())
        world.must(admin("POST", "/admin/realms", {"realm": "closed", "enabled": False}))
        foreign = {"clientId": FOREIGN, "secret": SECRET, "serviceAccountsEnabled": True}
        world.must(
            admin("POST", "/admin/realms", {"realm": "neighbour", "enabled": True, "clients": [foreign]})
        )
    keycloak.must(admin("POST", "/admin/realms", {"realm": "acme", "enabled": True}))
    import_ = admin("POST", "/admin/realms", body=_exported(keycloak), headers=_JSON)
    keyturn.must(import_)
    for world in (keycloak, keyturn):
        for name, roles in _ROLES.items():
            _add_administrator(world, name, roles)
        world.must(client(STRANGER))
        world.add_caller(STRANGER, "acme", STRANGER)
        world.add_caller(FOREIGN, "neighbour", FOREIGN)
        _keep_expired_token(world)
        signing = {"use.jwks.string": "true", "jwks.string": key_set(RSA, EC)}
        world.must(client("signing", clientAuthenticatorType="client-jwt", attributes=signing))


def _exported(keycloak: World) -> bytes:
    export = realm("POST", "/partial-export?exportClients=true&exportGroupsAndRoles=true")
    return keycloak.must(export).content


def _add_administrator(world: World, name: str, roles: list[str], **attributes: str) -> None:
    """Create a client of realm acme that administers it. The two servers appoint administrators in different
    ways: Keycloak by roles, keyturn by an attribute."""
    if world.name == "keyturn":
        world.must(client(name, attributes={"keyturn.admin.roles": ",".join(roles), **attributes}))
    else:
        scope = world.scope()
        world.must(client(name, attributes=attributes), scope)
        _give_roles(world, scope["id"], roles)
    world.add_caller(name, "acme", name)


def _keep_expired_token(world: World) -> None:
    """Keep a token of an administrator that has expired by the time when a scenario sends it."""
    _add_administrator(world, EXPIRED, ["manage-clients"], **{"access.token.lifespan": "1"})
    world.keep_token_of(EXPIRED, EXPIRED)


def _give_roles(world: World, client_uuid: str, roles: list[str]) -> None:
    user = _read(world, f"/clients/{client_uuid}/service-account-user")["id"]
    management = _read(world, "/clients?clientId=realm-management")[0]["id"]
    given = [_read(world, f"/clients/{management}/roles/{role}") for role in roles]
    world.must(realm("POST", f"/users/{user}/role-mappings/clients/{management}", given))


def _read(world: World, path: str) -> Any:
    return world.must(realm("GET", path)).json()
