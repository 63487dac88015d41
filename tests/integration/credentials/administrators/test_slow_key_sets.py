"""Hanging key sets of one realm's administrators delay no other realm's."""

import asyncio
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from keyturn_credentials.authorization.client_keys import MAX_WAITING_OF_REALM
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import BASE_URL
from tests.testkit.administrators import administers, scene_on
from tests.testkit.nodes import assertion_claims
from tests.testkit.served import served

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOO_MANY = MAX_WAITING_OF_REALM + 4


def signed_by(key: SigningKey, realm: str, client_id: str) -> dict[str, str]:
    claims = assertion_claims(client_id, realm, aud=f"{BASE_URL}/realms/{realm}")
    signed = key.sign_compact(key.header_segment(), claims)
    return {"client_assertion_type": ASSERTION, "client_assertion": signed}


async def test_key_sets_of_one_realm_that_hang_hold_up_no_other_realms_administrators(
    tmp_path: Path, redis: Redis, redis_url: str
) -> None:
    """One tenant has administrators whose URLs do not answer, and tokens are requested for all of them."""
    key = SigningKey.generate()
    hanging = most_hanging = 0
    let_go = asyncio.Event()

    async def hang(_: Request) -> JSONResponse:
        nonlocal hanging, most_hanging
        hanging += 1
        most_hanging = max(most_hanging, hanging)
        try:
            await let_go.wait()
        finally:
            hanging -= 1
        return JSONResponse({"keys": []})

    async def answer(_: Request) -> JSONResponse:
        return JSONResponse({"keys": [key.public_jwk]})

    keys = Starlette(routes=[Route("/hang/{number}", hang), Route("/good", answer)])
    async with (
        served(keys) as url,
        scene_on(tmp_path, redis, redis_url, jwks_allowed_networks="127.0.0.0/8") as scene,
    ):

        def administrator(client_id: str, path: str) -> dict[str, Any]:
            attributes = administers(**{"use.jwks.url": "true", "jwks.url": f"{url}{path}"})
            return {
                "clientId": client_id, "clientAuthenticatorType": "client-jwt", "attributes": attributes
            }  # fmt: skip

        for number in range(TOO_MANY):
            await scene.api.create("/acme/clients", administrator(f"slow-{number}", f"/hang/{number}"))
        await scene.change("POST", "", json={"realm": "shop"})
        await scene.api.create("/shop/clients", administrator("quick", "/good"))
        asked = [
            asyncio.create_task(scene.token_from_service("acme", signed_by(key, "acme", f"slow-{number}")))
            for number in range(TOO_MANY)
        ]
        refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert {each.result().status_code for each in refused} == {429}, "those that are too many, at once"
        quick = await scene.token_from_service("shop", signed_by(key, "shop", "quick"))
        assert quick.status_code == 200, quick.text
        let_go.set()
        assert {each.status_code for each in await asyncio.gather(*asked)} <= {401, 429}
    assert most_hanging <= 2
