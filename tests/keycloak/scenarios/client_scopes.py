"""Client scopes of a realm, and those of a client."""

from collections.abc import Iterator
from typing import Any

from tests.keycloak.scenario import Scenario, client, one, realm
from tests.keycloak.scenarios.clients import MISSING
from tests.keycloak.scenarios.token_endpoint import basic

NEW = realm("POST", "/client-scopes", {"name": "{scope}", "protocol": "openid-connect"}).keeping(
    scope_id="location"
)
READ = realm("GET", "/client-scopes/{scope_id}")
_CREATED: dict[str, dict[str, Any]] = {
    "a name only": {"name": "{scope}"},
    "a protocol": {"name": "{scope}", "protocol": "openid-connect"},
    "saml": {"name": "{scope}", "protocol": "saml"},
    "a description": {"name": "{scope}", "protocol": "openid-connect", "description": "d"},
    "an attribute": {"name": "{scope}", "protocol": "openid-connect", "attributes": {"include.in.token.scope": "false"}},
    "no name": {"protocol": "openid-connect"},
    "an empty name": {"name": "", "protocol": "openid-connect"},
    "a name with a space": {"name": "a b", "protocol": "openid-connect"},
    "a name with quotes": {"name": 'a"b', "protocol": "openid-connect"},
    "the name of another": {"name": "profile", "protocol": "openid-connect"},
    "a member that does not exist": {"name": "{scope}", "protokoll": "openid-connect"},
    "a name beyond ASCII": {"name": "schön-{scope}", "protocol": "openid-connect"},
    "an unknown protocol": {"name": "{scope}", "protocol": "nonsense"},
}  # fmt: skip


def _realm() -> Iterator[Scenario]:
    for name, body in _CREATED.items():
        yield one(f"created with {name}", realm("POST", "/client-scopes", body))
    yield one("created, then read", READ, given=[NEW])
    changes: dict[str, Any] = {
        "a description": {"name": "{scope}", "protocol": "openid-connect", "description": "d"},
        "an attribute": {"name": "{scope}", "protocol": "openid-connect", "attributes": {"include.in.token.scope": "false"}},
        "another name": {"name": "{scope}-renamed", "protocol": "openid-connect"},
        "nothing": {},
    }  # fmt: skip
    for name, body in changes.items():
        yield one(f"changed: {name}", realm("PUT", "/client-scopes/{scope_id}", body), READ, given=[NEW])
    yield one("deleted, then read", realm("DELETE", "/client-scopes/{scope_id}"), READ, given=[NEW])
    yield one("deleted twice", *2 * [realm("DELETE", "/client-scopes/{scope_id}")], given=[NEW])
    bodies: dict[str, Any] = {"GET": None, "PUT": {"name": "x"}, "DELETE": None}
    for method, body in bodies.items():
        yield one(
            f"{method} of a scope that does not exist", realm(method, f"/client-scopes/{MISSING}", body)
        )
    for kind in ("default", "optional"):
        path = f"/default-{kind}-client-scopes"
        with_id = f"{path}/{{scope_id}}"
        yield one(
            f"{kind} of the realm: added twice, removed twice",
            *2 * [realm("PUT", with_id)],
            *2 * [realm("DELETE", with_id)],
            given=[NEW],
        )
        yield one(f"{kind} of the realm: one that does not exist", realm("PUT", f"{path}/{MISSING}"))


def _clients() -> Iterator[Scenario]:
    asked = basic(scope="{scope}")
    for kind in ("default", "optional"):
        path = f"/clients/{{id}}/{kind}-client-scopes"
        with_id = f"{path}/{{scope_id}}"
        given = [NEW, client()]
        yield one(f"{kind} of a client: read", realm("GET", path), given=given)
        yield one(f"{kind} of a client: added, a token", realm("PUT", with_id), basic(), asked, given=given)
        added = [*given, realm("PUT", with_id)]
        yield one(f"{kind} of a client: added twice", realm("PUT", with_id), given=added)
        yield one(
            f"{kind} of a client: removed, a token", realm("DELETE", with_id), basic(), asked, given=added
        )
        yield one(f"{kind} of a client: removed twice", *2 * [realm("DELETE", with_id)], given=added)
        yield one(
            f"{kind} of a client: one that does not exist",
            realm("PUT", f"{path}/{MISSING}"),
            given=[client()],
        )
        other = "optional" if kind == "default" else "default"
        moved = f"/clients/{{id}}/{other}-client-scopes/{{scope_id}}"
        yield one(f"{kind} of a client: then {other}", realm("PUT", moved), realm("GET", path), given=added)
        deleted = [*added, realm("DELETE", "/client-scopes/{scope_id}")]
        yield one(f"{kind} of a client: deleted since", realm("GET", path), basic(), asked, given=deleted)
    yield one(
        "scopes of a client that does not exist", realm("GET", f"/clients/{MISSING}/default-client-scopes")
    )


SCENARIOS = [*_realm(), *_clients()]
