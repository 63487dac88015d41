"""No caller changes a client with more roles: anyone who sets its credentials could act as it.

The cases come from the routes: every changing route of a client, every role, and a client without roles, with
the caller's roles, with more, or in another realm.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

import pytest

from keyturn_shared.jose.signing import SigningKey
from tests.integration.credentials.certificate_files import certificate_pem
from tests.integration.credentials.client_changes import MAPPER, ONLY_READ, REQUESTS, ROLE_REQUESTS
from tests.integration.credentials.routes import CLIENT, LET_THROUGH, address
from tests.testkit.admin_api import AdminApi, Caller

_THUMBPRINT: Final = "A" * 43
_NAMES: Final = {"scope": "a-scope", "role": "a-role", "mapper": "a-mapper"}
CALLERS: Final = ("configure-clients", "manage-clients", "manage-clients,manage-realm")
STRONGER: Final = {
    "configure-clients": "manage-clients",
    "manage-clients": "manage-realm",
    "manage-clients,manage-realm": None,  # of master's alone: no client of a realm has more roles
}


@dataclass(frozen=True)
class Scene:
    """Two realms with a client for each caller and each target."""

    api: AdminApi

    async def client(self, realm: str, name: str, roles: str = "") -> str:
        """Create a client with a valid former secret; return its UUID."""
        attributes = {
            "keyturn.secret.expiration-period": "7200",
            "keyturn.secret.rotated-expiration-period": "3600",
        }
        if roles:
            attributes["keyturn.admin.roles"] = roles
        uuid = await self.api.create(f"/{realm}/clients", {"clientId": name, "attributes": attributes})
        regenerated = await self.api.call("POST", f"/{realm}/clients/{uuid}/client-secret")
        assert regenerated.status_code == 200
        return uuid

    async def state(self, realm: str, uuid: str) -> dict[str, Any]:
        """Return everything a change could touch, as an administrator of the installation sees it."""
        path = f"/{realm}/clients/{uuid}"
        looks = ("", "/client-secret", "/client-secret/rotated", "/keys", "/roles")
        return {look: (await self.api.call("GET", path + look)).json() for look in looks}

    async def send(self, route: str, realm: str, uuid: str, caller: tuple[str, str]) -> int:
        call = route
        for name, value in (("uuid", uuid), ("thumbprint", _THUMBPRINT), ("client", uuid), *_NAMES.items()):
            call = call.replace(f"{{{name}}}", value)
        method, path = address(call, realm)
        request = dict((REQUESTS | ROLE_REQUESTS)[route])
        if request.get("files"):
            request["files"] = {"file": ("a.pem", certificate_pem())}
        in_realm, client_id = caller
        answer = await self.api.call(method, path, realm=in_realm, client_id=client_id, **request)
        return answer.status_code


@pytest.fixture
async def scene(api: AdminApi) -> Scene:
    made = Scene(api)
    for realm in ("acme", "other"):
        await api.create("", {"realm": realm})
        await api.create(f"/{realm}/client-scopes", {"id": "a-scope", "name": "a-scope"})
    return made


def test_every_changing_route_of_a_client_is_tried() -> None:
    changing = {call for call in LET_THROUGH if CLIENT in call and not call.startswith("GET ")}
    assert changing - ONLY_READ == REQUESTS.keys() | ROLE_REQUESTS.keys()


@pytest.mark.parametrize("call", REQUESTS)
@pytest.mark.parametrize("roles", CALLERS)
async def test_a_route_changes_weaker_and_equal_clients_and_no_stronger_one(
    scene: Scene, call: str, roles: str
) -> None:
    await scene.client("acme", "the-caller", roles)
    caller = ("acme", "the-caller")
    let_through = bool(LET_THROUGH[call] & set(roles.split(",")))
    for name, held in (("weaker", ""), ("equal", roles)):
        uuid = await scene.client("acme", name, held)
        status = await scene.send(call, "acme", uuid, caller)
        assert (status < 300) is let_through, (call, roles, name, status)
        assert status < 300 or status == 403
    if (more := STRONGER[roles]) is not None:
        uuid = await scene.client("acme", "stronger", more)
        before = await scene.state("acme", uuid)
        assert await scene.send(call, "acme", uuid, caller) == 403
        assert await scene.state("acme", uuid) == before
    elsewhere = await scene.client("other", "elsewhere")
    before = await scene.state("other", elsewhere)
    assert await scene.send(call, "other", elsewhere, caller) == 403
    # Another realm's client is not reachable through the caller's own realm either.
    assert await scene.send(call, "acme", elsewhere, caller) == (404 if let_through else 403)
    assert await scene.state("other", elsewhere) == before


async def test_roles_of_a_client_are_changed_by_whoever_may_change_it(scene: Scene) -> None:
    await scene.client("acme", "the-caller", "manage-clients")
    caller = ("acme", "the-caller")
    targets = {
        "weaker": ("acme", await scene.client("acme", "weaker")),
        "stronger": ("acme", await scene.client("acme", "stronger", "manage-realm")),
        "elsewhere": ("other", await scene.client("other", "elsewhere")),
    }
    for name, (realm, uuid) in targets.items():
        await scene.api.create(f"/{realm}/clients/{uuid}/roles", {"name": "a-role"})
        await scene.api.create(f"/{realm}/clients/{uuid}/protocol-mappers/models", MAPPER)
        for call in ROLE_REQUESTS:
            before = await scene.state(realm, uuid)
            status = await scene.send(call, realm, uuid, caller)
            if name == "weaker":
                assert status < 300, (name, call, status)
            else:
                assert status == 403, (name, call, status)
                assert await scene.state(realm, uuid) == before
    _, stronger = targets["stronger"]
    role = (await scene.api.call("GET", f"/acme/clients/{stronger}/roles/a-role")).json()["id"]
    by_id = await scene.api.call("DELETE", f"/acme/roles-by-id/{role}", realm="acme", client_id="the-caller")
    assert by_id.status_code == 403


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "manage-realm"),
        ("manage-realm", ""),
        ("manage-realm", "manage-clients"),
        ("manage-realm", "manage-realm"),
    ],
)
async def test_roles_are_neither_given_nor_taken_by_whoever_lacks_them(
    scene: Scene, before: str, after: str
) -> None:
    await scene.client("acme", "the-caller", "manage-clients")
    uuid = await scene.client("acme", "target", before)
    state = await scene.state("acme", uuid)
    representation = {"attributes": {"keyturn.admin.roles": after}, "description": "changed"}
    as_caller: Caller = {"realm": "acme", "client_id": "the-caller"}
    answer = await scene.api.call("PUT", f"/acme/clients/{uuid}", json=representation, **as_caller)
    assert answer.status_code == 403
    assert await scene.state("acme", uuid) == state


@pytest.mark.parametrize("if_exists", ["OVERWRITE", "SKIP", "FAIL"])
async def test_an_import_gives_nobody_more_than_the_importer_has(scene: Scene, if_exists: str) -> None:
    await scene.client("acme", "the-caller", "manage-clients")
    uuid = await scene.client("acme", "stronger", "manage-realm")
    before = await scene.state("acme", uuid)
    key = SigningKey.generate("ES256", kid="theirs")
    keys = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public_jwk]})}
    document = {
        "ifResourceExists": if_exists,
        "clients": [
            {"clientId": "stronger", "secret": "a-secret-of-the-importers-choice", "attributes": keys},
            {"clientId": "new", "attributes": {"keyturn.admin.roles": "manage-realm"}},
        ],
    }
    as_caller: Caller = {"realm": "acme", "client_id": "the-caller"}
    answer = await scene.api.call("POST", "/acme/partialImport", json=document, **as_caller)
    assert answer.status_code < 500
    assert await scene.state("acme", uuid) == before
    listed = (await scene.api.call("GET", "/acme/clients", params={"clientId": "new"})).json()
    assert all("keyturn.admin.roles" not in client["attributes"] for client in listed)


@pytest.mark.parametrize(
    "look",
    ["/client-secret", "/client-secret/rotated", "", "/installation/providers/keycloak-oidc-keycloak-json"],
)
async def test_the_secret_of_a_stronger_client_is_masked(scene: Scene, look: str) -> None:
    await scene.client("acme", "the-caller", "manage-clients")
    uuid = await scene.client("acme", "stronger", "manage-realm")
    path = f"/acme/clients/{uuid}"
    secrets = [
        (await scene.api.call("GET", f"{path}/client-secret{which}")).json()["value"]
        for which in ("", "/rotated")
    ]
    answer = await scene.api.call("GET", path + look, realm="acme", client_id="the-caller")
    assert answer.status_code in (200, 403)
    assert not any(secret in answer.text for secret in secrets)
