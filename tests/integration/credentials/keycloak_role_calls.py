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
    await call("delete_client_role", uuid, "read")
    await call("delete_role_by_id", write["id"])
    await call("delete_realm_role", "all")
