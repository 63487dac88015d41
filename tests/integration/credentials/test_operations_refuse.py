"""Each operation itself refuses a caller without its role, independently of the gate's table of roles.

The cases come from the routes: every changing route is called as if the gate let everyone pass.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from starlette.requests import Request

from keyturn_credentials.domain.roles import Principal, Role
from keyturn_credentials.errors import ForbiddenError
from keyturn_credentials.operations import certificates, realms
from keyturn_credentials.operations.access_journal import Access
from keyturn_credentials.web.gate import Call
from tests.integration.credentials.certificate_files import certificate_pem
from tests.integration.credentials.client_changes import (
    MAPPER,
    ONLY_READ,
    REQUESTS,
    ROLE_REQUESTS,
    mapper_requests,
)
from tests.integration.credentials.routes import (
    LET_THROUGH,
    PROVIDER,
    ROLE_MAPPINGS,
    ROTATION,
    ROTATION_MOVES,
    SCOPE_LISTS,
    SCOPE_MAPPINGS,
    address,
)
from tests.testkit.admin_api import BASE_URL, AdminApi

_REALM: Final = "/admin/realms/{realm}"
_PROVIDER: Final = {
    "alias": "a-provider",
    "providerId": "kubernetes",
    "config": {"jwksUrl": "https://k8s.example/openid/v1/jwks"},
}
_OF_REALMS: Final[dict[str, dict[str, Any]]] = {
    "POST /admin/realms": {"json": {"realm": "made-by-nobody"}},
    f"PUT {_REALM}": {"json": {"displayName": "changed"}},
    f"DELETE {_REALM}": {},
    f"POST {_REALM}/keys/rotate": {},
    f"POST {_REALM}/clear-keys-cache": {},
    f"POST {_REALM}/partialImport": {"json": {"clients": [{"clientId": "imported"}]}},
    f"POST {_REALM}/clients": {"json": {"clientId": "created"}},
    f"POST {_REALM}/client-scopes": {"json": {"name": "created"}},
    f"PUT {_REALM}/client-scopes/{{scope}}": {"json": {"description": "changed"}},
    f"DELETE {_REALM}/client-scopes/{{scope}}": {},
    **{f"{each} {path}/{{scope}}": {} for path in SCOPE_LISTS[:2] for each in ("PUT", "DELETE")},
    **mapper_requests(f"{_REALM}/client-scopes/{{scope}}"),
    f"POST {_REALM}/roles": {"json": {"name": "created"}},
    **{
        call: request
        for path, name in (
            (f"{_REALM}/roles/{{role}}", "a-role"),
            (f"{_REALM}/roles-by-id/{{role}}", "by-id"),
        )
        for call, request in (
            (f"PUT {path}", {"json": {"name": name, "description": "changed"}}),
            (f"POST {path}/composites", {"json": []}),
            (f"DELETE {path}/composites", {"json": []}),
            (f"DELETE {path}", {}),
        )
    },
    **{f"POST {ROTATION}/{move}": {} for move in ROTATION_MOVES},
    f"POST {_REALM}/identity-provider/instances": {
        "json": {
            **_PROVIDER,
            "alias": "created",
            "config": {"issuer": "https://other.example", "jwksUrl": "https://other.example/jwks"},
        }
    },
    f"PUT {PROVIDER}": {"json": {**_PROVIDER, "displayName": "changed"}},
    f"POST {PROVIDER}/keys/{{thumbprint}}/revoke": {},
    f"POST {PROVIDER}/revoke-subject": {"json": {"subject": "system:serviceaccount:shop:orders"}},
    f"DELETE {PROVIDER}": {},
    **{
        f"{method} {holder}/{kind}": {"json": []}
        for holder in (ROLE_MAPPINGS, SCOPE_MAPPINGS[1])
        for method in ("POST", "DELETE")
        for kind in ("realm", "clients/{client}")
    },
}
_CHANGES: Final = _OF_REALMS | REQUESTS | ROLE_REQUESTS
_LAST: Final = (
    f"DELETE {_REALM}/clients/{{uuid}}/protocol-mappers/models/{{mapper}}",
    f"DELETE {_REALM}/client-scopes/{{scope}}/protocol-mappers/models/{{mapper}}",
    f"DELETE {PROVIDER}",
    f"DELETE {_REALM}/roles/{{role}}",
    f"DELETE {_REALM}/roles-by-id/{{role}}",
    f"DELETE {_REALM}/clients/{{uuid}}/roles/{{role}}",
    f"DELETE {_REALM}/client-scopes/{{scope}}",
    f"DELETE {_REALM}/clients/{{uuid}}",
    f"DELETE {_REALM}",
)
_WITHOUT_EVENT: Final = {_LAST[-1], *(f"POST {ROTATION}/{move}" for move in ROTATION_MOVES[:-1])}
"""The log of a deleted realm is not shown; nodes need not know that a rotation is held up."""
_ONLY_READ: Final = ONLY_READ | {
    f"POST {_REALM}/partial-export",
    f"POST {_REALM}/push-revocation",
    f"POST {_REALM}/rotations/plan",
}


class Unnoted:
    """A journal that keeps nothing."""

    def note(self, access: Access) -> None:
        """Forget it."""


@dataclass(frozen=True)
class Scene:
    """A realm with one client that has everything the routes need."""

    api: AdminApi
    uuid: str
    role_id: str
    rotation: str
    user: str

    async def pass_the_gate(self, call: str, roles: frozenset[Role]) -> None:
        """Run the route's handler for a client of the realm that holds these roles."""
        method, path = call.split(" ")
        handler = self.api.app.state.gate.endpoints[method, path].handler
        principal = Principal("acme", "caller", "caller", roles)

        async def authorise() -> Principal:
            return principal

        await handler(Call(self._request(call), principal, authorise, Unnoted()))

    def _request(self, call: str) -> Request:
        asked = dict(_CHANGES[call])
        if asked.get("files"):
            asked["files"] = {"file": ("a.pem", certificate_pem())}
        parameters = {
            "realm": "acme",
            "uuid": self.uuid,
            "attr": "jwt.credential",
            "thumbprint": "A" * 43,
            "scope": "a-scope",
            "alias": "a-provider",
            "mapper": "a-mapper",
            "user": self.user,
            "client": self.uuid,
            "role": self.role_id if "roles-by-id" in call else "a-role",
            "rotation": self.rotation,
        }
        method, path = address(call, "acme")
        sent = httpx.Request(method, f"{BASE_URL}/admin/realms{path}", **asked)
        scope = {
            "type": "http",
            "method": method,
            "path": sent.url.path,
            "query_string": b"",
            "headers": [(name.lower(), value) for name, value in sent.headers.raw],
            "path_params": parameters,
            "client": None,
        }
        return Request(scope, _once(sent.read()))

    async def log(self) -> Any:
        """Return the realm's events, newest first."""
        return (await self.api.call("GET", "/acme/event-log")).json()


def _once(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


@pytest.fixture
async def scene(api: AdminApi) -> Scene:
    await api.create("", {"realm": "acme"})
    overlap = {
        "keyturn.secret.expiration-period": "7200",
        "keyturn.secret.rotated-expiration-period": "3600",
    }
    uuid = await api.create("/acme/clients", {"clientId": "orders", "attributes": overlap})
    assert (await api.call("POST", f"/acme/clients/{uuid}/client-secret")).status_code == 200
    await api.create("/acme/client-scopes", {"id": "a-scope", "name": "a-scope"})
    await api.create("/acme/identity-provider/instances", _PROVIDER)
    for owner in ("client-scopes/a-scope", f"clients/{uuid}"):
        await api.create(f"/acme/{owner}/protocol-mappers/models", MAPPER)
    for path in ("/acme/roles", f"/acme/clients/{uuid}/roles"):
        await api.create(path, {"name": "a-role"})
    await api.create("/acme/roles", {"name": "by-id"})
    role_id = (await api.call("GET", "/acme/roles/by-id")).json()["id"]
    rotation = await api.create(f"/acme/clients/{uuid}/rotations", {})
    user = (await api.call("GET", f"/acme/clients/{uuid}/service-account-user")).json()["id"]
    return Scene(api, uuid, role_id, rotation, user)


def test_every_route_that_changes_something_is_tried() -> None:
    changing = {call for call in LET_THROUGH if not call.startswith("GET ")}
    assert changing - _ONLY_READ == _CHANGES.keys()


async def test_no_operation_is_done_for_a_caller_without_its_role_whom_the_gate_let_pass(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    """Preparatory work is refused too: generating a key pair, or reading a file."""
    for work in ("import_credentials", "generate_key_pair"):
        monkeypatch.setattr(certificates, work, lambda *_, **__: pytest.fail("the work was done"))
    monkeypatch.setattr(realms, "generate_key_pair", lambda *_: pytest.fail("a key was made"))
    before = await scene.log()
    for call in _CHANGES:
        with subtests.test(call):
            lacking = frozenset(role for role in Role if role.value not in LET_THROUGH[call])
            for roles in (frozenset[Role](), lacking):
                with pytest.raises(ForbiddenError):
                    await scene.pass_the_gate(call, roles)
    assert await scene.log() == before


async def test_the_same_calls_are_done_for_a_caller_with_the_role(scene: Scene) -> None:
    """The refusals do not concern calls that could never succeed. Deletions come last."""
    calls = [call for call in _CHANGES if call != "POST /admin/realms" and call not in _LAST]
    for call in [*calls, *_LAST]:
        before = await scene.log()
        await scene.pass_the_gate(call, frozenset(Role(name) for name in LET_THROUGH[call]))
        assert call in _WITHOUT_EVENT or len(await scene.log()) > len(before), call
