"""python-keycloak's calls about roles, in an order in which each has something to do."""

from collections.abc import Awaitable, Callable
from typing import Any

Call = Callable[..., Awaitable[Any]]


async def call_for_roles(call: Call, uuid: str) -> None:
    """Make the calls. ``uuid``: of the client ``orders``."""
    await call("create_realm_role", {"name": "all", "attributes": {"team": ["payments"]}})
    await call("create_realm_role", {"name": "all"}, skip_exists=True, check=lambda name: name == "all")
    role = await call(
        "get_realm_role", "all", check=lambda role: role["attributes"] == {"team": ["payments"]}
    )
    await call("get_realm_roles", check=lambda roles: [each["name"] for each in roles] == ["all"])
    await call("get_realm_role_by_id", role["id"], check=lambda shown: shown["name"] == "all")
    await call("update_realm_role", "all", {"name": "every", "description": "changed"})
    await call("get_role_by_id", role["id"], check=lambda shown: shown["name"] == "every")
    await call("update_role_by_id", role["id"], {"name": "all"})
    await call("create_client_role", uuid, {"name": "read"})
    await call("create_client_role", uuid, {"name": "write"})
    await call("get_client_roles", uuid, check=lambda roles: len(roles) == 2)
    write = await call("get_client_role", uuid, "write")
    read = await call("get_client_role", uuid, "read", check=lambda shown: shown["containerId"] == uuid)
    await call("update_client_role", uuid, "read", {"name": "read", "description": "Reads"})
    await call("add_composite_realm_roles_to_role", "all", [read])
    await call("get_composite_realm_roles_of_role", "all", check=lambda roles: roles[0]["id"] == read["id"])
    await call("get_role_composites_by_id", role["id"], check=lambda roles: len(roles) == 1)
    await call("get_role_client_level_children", uuid, role["id"], check=lambda roles: len(roles) == 1)
    await call("remove_composite_realm_roles_to_role", "all", [read])
    await call("add_composite_client_roles_to_role", uuid, "write", [read])
    await call("get_composite_client_roles_of_role", uuid, "write", check=lambda roles: len(roles) == 1)
    await call("remove_composite_client_roles_from_role", uuid, "write", [read])
    user = await call_for_role_mappings(call, uuid, role, read)
    await call_for_scope_mappings(call, uuid, role, read)
    await call("get_user", user, check=lambda shown: shown["username"] == "service-account-orders")
    await call("delete_client_role", uuid, "read")
    await call("delete_role_by_id", write["id"])
    await call("delete_realm_role", "all")


async def call_for_role_mappings(call: Call, uuid: str, role: dict[str, Any], read: dict[str, Any]) -> str:
    """Make the calls about roles of the client's service account. Return its id."""
    [account] = await call("get_users", {"username": "service-account-orders"})
    user = account["id"]
    await call("get_available_realm_roles_of_user", user, check=lambda roles: len(roles) == 1)
    await call("assign_realm_roles", user, [role])
    await call("get_realm_roles_of_user", user, check=lambda roles: roles[0]["id"] == role["id"])
    await call("get_composite_realm_roles_of_user", user, check=lambda roles: len(roles) == 1)
    await call("get_realm_role_members", "all", check=lambda users: users[0]["id"] == user)
    await call("get_available_client_roles_of_user", user, uuid, check=lambda roles: len(roles) == 2)
    await call("assign_client_role", user, uuid, [read])
    await call("get_client_roles_of_user", user, uuid, check=lambda roles: len(roles) == 1)
    await call("get_composite_client_roles_of_user", user, uuid, check=lambda roles: len(roles) == 1)
    await call("get_client_role_members", uuid, "read", check=lambda users: users[0]["id"] == user)
    await call("get_all_roles_of_user", user, check=lambda mappings: len(mappings) == 2)
    await call("delete_client_roles_of_user", user, uuid, [read])
    await call("delete_realm_roles_of_user", user, [role])
    return str(user)


async def call_for_scope_mappings(call: Call, uuid: str, role: dict[str, Any], read: dict[str, Any]) -> None:
    """Make the calls about roles in the scope of the client, and of a client scope."""
    await call("assign_realm_roles_to_client_scope", uuid, [role])
    await call("get_realm_roles_of_client_scope", uuid, check=lambda roles: len(roles) == 1)
    await call("delete_realm_roles_of_client_scope", uuid, [role])
    await call("assign_client_roles_to_client_scope", uuid, uuid, [read])
    await call("get_client_roles_of_client_scope", uuid, uuid, check=lambda roles: len(roles) == 1)
    await call("delete_client_roles_of_client_scope", uuid, uuid, [read])
    scope = await call("create_client_scope", {"name": "of-roles"})
    await call("add_client_specific_roles_to_client_scope", scope, uuid, [read])
    await call("get_client_specific_roles_of_client_scope", scope, uuid, check=lambda roles: len(roles) == 1)
    await call("get_all_roles_of_client_scope", scope, check=lambda mappings: len(mappings) == 1)
    await call("remove_client_specific_roles_of_client_scope", scope, uuid, [read])
    await call("delete_client_scope", scope)
