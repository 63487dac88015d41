"""An attacker has taken over the gateway, sees its traffic, and can forge statements about callers."""

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import BASE_URL
from tests.testkit.administrators import WORKERS, Scene, by_assertion, by_basic, inline
from tests.testkit.nodes import assertion, assertion_claims


async def test_a_secret_and_a_bearer_token_that_he_saw_are_his_too(scene: Scene) -> None:
    """Secrets pass it in plain text, and so do administrators' tokens."""
    for headers in (by_basic("worker", WORKERS), by_basic()):
        assert (await scene.token_from_node("acme", {}, headers)).status_code == 200
    seen = (await scene.token_from_service("acme", {}, by_basic())).json()["access_token"]
    assert await scene.status_of(seen) == 200


async def test_an_assertion_that_he_saw_is_good_for_nothing_any_more(scene: Scene) -> None:
    """An administrator with a key sends nothing reusable through it, except the resulting token."""
    claims = assertion_claims("by-key", "acme", aud=f"{BASE_URL}/realms/acme")
    shown = by_assertion(scene.key.sign_compact(scene.key.header_segment(), claims))
    assert (await scene.token_from_service("acme", shown)).status_code == 200
    for ask in (scene.token_from_service, scene.token_from_node):
        assert (await ask("acme", shown)).status_code == 401


async def test_he_reads_the_audit_log_as_the_administrator_whose_token_he_saw_and_changes_no_entry(
    scene: Scene,
) -> None:
    """The admin API has no call that changes or deletes an entry."""
    path = "/acme/audit"
    entries = (await scene.api.call("GET", path)).json()
    assert entries
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for address in (path, f"{path}/{entries[0]['id']}"):
            assert (await scene.api.call(method, address)).status_code in (404, 405)
    assert (await scene.api.call("GET", path)).json() == entries


async def test_a_change_that_he_does_not_pass_on_is_not_made_whatever_he_answers(scene: Scene) -> None:
    """The attacker answers in the service's name; the service's own audit log shows the truth."""
    key = SigningKey.generate("ES256")
    client = await scene.make("kept", "client-jwt", attributes=inline(key))

    async def lies(_: Request) -> Response:
        told = {"Preference-Applied": "wait", "Keyturn-Fleet": "nodes=1, applied=1, fenced=0, pending=0"}
        return Response(status_code=204, headers=told)

    his = httpx.ASGITransport(Starlette(routes=[Route("/{path:path}", lies, methods=["POST"])]))
    path = f"/admin/realms/acme/clients/{client}/keys/{key.kid}/revoke"
    async with httpx.AsyncClient(transport=his, base_url=BASE_URL) as through:
        answer = await through.post(path, headers={"Prefer": "wait"})
    assert answer.headers["preference-applied"] == "wait"
    signed = assertion(key, "kept", "acme", aud=f"{BASE_URL}/realms/acme")
    assert (await scene.token_from_node("acme", by_assertion(signed))).status_code == 200
    audit = (await scene.api.call("GET", f"/acme/audit?client_uuid={client}")).json()
    assert [entry["action"] for entry in audit] == ["client_created"]
