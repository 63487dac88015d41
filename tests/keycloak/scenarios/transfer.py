"""Partial import and export."""

from collections.abc import Iterator
from typing import Any

from tests.keycloak.scenario import SECRET, Scenario, admin, client, one, realm
from tests.keycloak.scenarios.token_endpoint import basic

IMPORT = "/partialImport"


def file(*clients: dict[str, Any], policy: str | None = "FAIL", **more: Any) -> dict[str, Any]:
    """Return a file with these clients."""
    chosen = {} if policy is None else {"ifResourceExists": policy}
    return {**chosen, "clients": list(clients), **more}


def _all() -> Iterator[Scenario]:
    one_client = {"clientId": "{client}", "secret": SECRET, "serviceAccountsEnabled": True}
    other = {"clientId": "{other_client}", "secret": SECRET}
    files: dict[str, Any] = {
        "one client": file(one_client),
        "two clients": file(one_client, other),
        "no clients": file(),
        "nothing": {},
        "no policy": file(one_client, policy=None),
        "an unknown policy": file(one_client, policy="PERHAPS"),
        "a client without an id": file({"secret": SECRET}),
        "the same client twice": file(one_client, one_client),
        "a member that does not exist": file(one_client, nonsense=1),
        "a client with a member that does not exist": file({**one_client, "enabeld": True}),
        "a role": file(roles={"realm": [{"name": "{role}"}]}),
        "a role of a client": file(one_client, roles={"client": {"{client}": [{"name": "{role}"}]}}),
        "a user": file(users=[{"username": "{client}"}]),
        "a group": file(groups=[{"name": "{client}"}]),
        "an identity provider": file(identityProviders=[{"alias": "{client}", "providerId": "oidc"}]),
        "a list": [],
        "clients as an object": {"ifResourceExists": "FAIL", "clients": {}},
    }
    for name, body in files.items():
        yield one(f"import of {name}", realm("POST", IMPORT, body))
    for policy in ("FAIL", "SKIP", "OVERWRITE"):
        body = file({**one_client, "name": "imported"}, other, policy=policy)
        yield one(f"import over an existing client, {policy}", realm("POST", IMPORT, body), given=[client()])
        yield one(
            f"import over an existing client, {policy}: a token",
            realm("POST", IMPORT, body),
            basic(),
            given=[client()],
        )
    yield one("import, then a token", basic(), given=[realm("POST", IMPORT, file(one_client))])
    yield one(
        "import into a realm that does not exist",
        admin("POST", "/admin/realms/nowhere/partialImport", file(one_client)),
    )
    new = admin("POST", "/admin/realms", {"realm": "{new_realm}", "enabled": True, "clients": [one_client]})
    for query in (
        "",
        "?exportClients=false",
        "?exportClients=true",
        "?exportGroupsAndRoles=true",
        "?exportClients=nonsense",
    ):
        path = f"/admin/realms/{{new_realm}}/partial-export{query}"
        yield one(f"export {query}", admin("POST", path), given=[new])
    yield one("export by GET", realm("GET", "/partial-export"))
    yield one("export of a realm that does not exist", admin("POST", "/admin/realms/nowhere/partial-export"))


SCENARIOS = [*_all()]
