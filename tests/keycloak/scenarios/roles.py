"""Roles of a realm and of its clients, and those of service accounts."""

from collections.abc import Iterator
from typing import Any

from tests.keycloak.scenario import Request, Scenario, client, one, realm
from tests.keycloak.scenarios.clients import MISSING
from tests.keycloak.scenarios.token_endpoint import basic

ROLE = realm("POST", "/roles", {"name": "{role}"})
ROLE_ID = realm("GET", "/roles/{role}").keeping(role_id="id")
CLIENT_ROLE = realm("POST", "/clients/{id}/roles", {"name": "{role}"})
CLIENT_ROLE_ID = realm("GET", "/clients/{id}/roles/{role}").keeping(role_id="id")
USER = realm("GET", "/clients/{id}/service-account-user").keeping(user="id")
REFERENCE = {"id": "{role_id}", "name": "{role}"}
GIVEN = [client(), USER, ROLE, ROLE_ID]
CLIENT_GIVEN = [client(), USER, CLIENT_ROLE, CLIENT_ROLE_ID]
_CREATED: dict[str, dict[str, Any]] = {
    "a name only": {"name": "{role}"},
    "a description": {"name": "{role}", "description": "may read"},
    "attributes": {"name": "{role}", "attributes": {"team": ["payments"]}},
    "no name": {"description": "x"},
    "an empty name": {"name": ""},
    "a name of spaces": {"name": " "},
    "a name with a slash": {"name": "{role}/read"},
    "a name with a colon": {"name": "{role}:read"},
    "a name beyond ASCII": {"name": "{role}-schön"},
    "a name of 300 letters": {"name": "r" * 300},
    "a member that does not exist": {"name": "{role}", "descripton": "x"},
    "composite true": {"name": "{role}", "composite": True},
    "the name of another": {"name": "offline_access"},
}


def _roles() -> Iterator[Scenario]:
    for place, given in (("/roles", []), ("/clients/{id}/roles", [client()])):
        kind = "client role" if given else "realm role"
        path = f"{place}/{{role}}"
        made = [*given, realm("POST", place, {"name": "{role}"})]
        for name, body in _CREATED.items():
            yield one(f"{kind} created with {name}", realm("POST", place, body), given=given)
        read = realm("GET", path)
        yield one(f"{kind} read", read, given=made)
        yield one(f"{kind} created twice", realm("POST", place, {"name": "{role}"}), given=made)
        yield one(f"{kind} deleted, then read", realm("DELETE", path), read, given=made)
        yield one(f"{kind} deleted twice", *2 * [realm("DELETE", path)], given=made)
        changed = realm("PUT", path, {"name": "{role}", "description": "changed"})
        yield one(f"{kind} changed", changed, read, given=made)
        renamed = realm("PUT", path, {"name": "{role}-renamed"})
        yield one(f"{kind} renamed", renamed, read, realm("GET", f"{path}-renamed"), given=made)
        yield one(f"{kind} changed to an empty name", realm("PUT", path, {"name": ""}), given=made)
        yield one(f"{kind} that does not exist read", realm("GET", f"{place}/nonsense"), given=given)
        yield one(
            f"{kind} that does not exist changed",
            realm("PUT", f"{place}/nonsense", {"name": "x"}),
            given=given,
        )
        yield one(f"{kind} without composites", realm("GET", f"{path}/composites"), given=made)
        yield one(f"{kind}: its users", realm("GET", f"{path}/users"), given=made)
        yield one(f"{kind}: its groups", realm("GET", f"{path}/groups"), given=made)
    yield one("roles of a client that does not exist", realm("GET", f"/clients/{MISSING}/roles"))
    yield one("roles of a client", realm("GET", "/clients/{id}/roles"), given=CLIENT_GIVEN)
    yield one("a role by its id", realm("GET", "/roles-by-id/{role_id}"), given=GIVEN)
    yield one("a role by an id that does not exist", realm("GET", f"/roles-by-id/{MISSING}"))
    yield one(
        "a role by its id deleted",
        realm("DELETE", "/roles-by-id/{role_id}"),
        realm("GET", "/roles/{role}"),
        given=GIVEN,
    )


def _composites() -> Iterator[Scenario]:
    inner = realm("POST", "/roles", {"name": "{role}-inner"})
    inner_id = realm("GET", "/roles/{role}-inner").keeping(inner_id="id")
    given = [*GIVEN, inner, inner_id]
    path = "/roles/{role}/composites"
    reference = [{"id": "{inner_id}", "name": "{role}-inner"}]
    added = realm("POST", path, reference)
    yield one(
        "composites: added, read", added, realm("GET", path), realm("GET", "/roles/{role}"), given=given
    )
    yield one("composites: added twice", added, added, given=given)
    yield one(
        "composites: removed", realm("DELETE", path, reference), realm("GET", path), given=[*given, added]
    )
    yield one(
        "composites: one that does not exist",
        realm("POST", path, [{"id": MISSING, "name": "x"}]),
        given=GIVEN,
    )
    mapped = realm("POST", "/users/{user}/role-mappings/realm", [REFERENCE])
    yield one("composites: in a token", basic(), given=[*given, added, mapped])
    whole = realm("GET", "/users/{user}/role-mappings/realm/composite")
    yield one("composites: of a service account", whole, given=[*given, added, mapped])


def _mappings() -> Iterator[Scenario]:
    for kind, given, path in (
        ("realm role", GIVEN, "/users/{user}/role-mappings/realm"),
        ("client role", CLIENT_GIVEN, "/users/{user}/role-mappings/clients/{id}"),
    ):
        give, take = realm("POST", path, [REFERENCE]), realm("DELETE", path, [REFERENCE])
        yield one(f"{kind} given, a token", give, basic(), given=given)
        yield one(f"{kind} given, then read", realm("GET", path), given=[*given, give])
        yield one(f"{kind} given twice", give, give, given=given)
        yield one(f"{kind} taken away, a token", take, basic(), given=[*given, give])
        yield one(f"{kind} taken away twice", take, take, given=[*given, give])
        yield one(
            f"{kind} that does not exist given",
            realm("POST", path, [{"id": MISSING, "name": "x"}]),
            given=given,
        )
        yield one(f"{kind} given by its name alone", realm("POST", path, [{"name": "{role}"}]), given=given)
        yield one(f"{kind} given as an object", realm("POST", path, REFERENCE), given=given)
        yield one(f"{kind}: none given", realm("POST", path, []), given=given)
        yield one(f"{kind}: all in effect", realm("GET", f"{path}/composite"), given=[*given, give])
        limited = realm("PUT", "/clients/{id}", {"clientId": "{client}", "fullScopeAllowed": False})
        yield one(f"{kind} of a client without full scope", basic(), given=[*given, give, limited])
        scope = path.replace("/users/{user}/role-mappings", "/clients/{id}/scope-mappings")
        mapped = realm("POST", scope, [REFERENCE])
        yield one(
            f"{kind} in a client's scope", basic(), realm("GET", scope), given=[*given, give, limited, mapped]
        )
    yield one(
        "all of a service account",
        realm("GET", "/users/{user}/role-mappings"),
        given=[*GIVEN, realm("POST", "/users/{user}/role-mappings/realm", [REFERENCE])],
    )
    yield one("a user that does not exist", realm("GET", f"/users/{MISSING}/role-mappings"))
    yield one("the user of a service account", realm("GET", "/users/{user}"), given=GIVEN)
    yield one("users by name", _named_user(), given=GIVEN)


def _named_user() -> Request:
    return realm("GET", "/users?username=service-account-{client}&exact=true")


SCENARIOS = [*_roles(), *_composites(), *_mappings()]
