"""Callers that may ask about an access token: its audiences and its owner."""

from typing import Any

import jwt
import msgspec
import pytest

from keyturn_shared.projection import ClientProjection, RealmProjection
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import RunningNode, basic, eventually

SECRET = "a secret of every client here"
INTROSPECT = "/realms/acme/protocol/openid-connect/token/introspect"


@pytest.fixture
async def worker(filling: Filling, realm: RealmProjection) -> ClientProjection:
    """It gets tokens for an API by its URL, or for a client by its id; the others may ask."""
    client = client_of(realm, "worker", secret=SECRET, audiences=("https://api", "inventory"))
    await filling.change(realm, client)
    api = client_of(realm, "api", secret=SECRET, resource_audiences=("https://api", "https://api/v2"))
    for other in (api, client_of(realm, "inventory", secret=SECRET), client_of(realm, "nosy", secret=SECRET)):
        await filling.change(realm, other)
    return client


async def token_for(node: RunningNode, audience: str) -> str:
    answer = await node.token(
        "acme", {"audience": audience}, headers={"Authorization": basic("worker", SECRET)}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def answers_to(node: RunningNode, caller: str, token: str) -> list[dict[str, Any]]:
    """Return the answers of introspection, plain and signed, and of /verify."""
    headers = {"Authorization": basic(caller, SECRET)}
    signed_type = {"Accept": "application/token-introspection+jwt"}
    plain = await node.http.post(INTROSPECT, data={"token": token}, headers=headers)
    signed = await node.http.post(INTROSPECT, data={"token": token}, headers=headers | signed_type)
    verified = await node.http.post("/realms/acme/verify", json={"tokens": [token]}, headers=headers)
    claims = jwt.decode(signed.text, options={"verify_signature": False})
    return [plain.json(), claims["token_introspection"], verified.json()["results"][0]]


async def hears(node: RunningNode, caller: str, token: str) -> bool:
    answers = await answers_to(node, caller, token)
    assert len({answer["active"] for answer in answers}) == 1, answers
    return bool(answers[0]["active"])


@pytest.mark.parametrize(
    ("audience", "callers"), [("https://api", {"worker", "api"}), ("inventory", {"worker", "inventory"})]
)
async def test_only_whom_a_token_is_for_and_whose_it_is_hears_of_it(
    node: RunningNode, worker: ClientProjection, audience: str, callers: set[str]
) -> None:
    """RFC 9701 section 5."""
    token = await token_for(node, audience)
    everybody = {"worker", "api", "inventory", "nosy"}
    assert {name for name in everybody if await hears(node, name, token)} == callers


async def test_others_are_told_the_same_of_a_good_token_and_a_bad_one(
    node: RunningNode, worker: ClientProjection
) -> None:
    good = await token_for(node, "inventory")
    head, body, signature = good.split(".")
    forged = f"{head}.{body}.{signature[:-6]}AAAAAA"
    nothing = [{"active": False}, {"active": False}, {"active": False, "error": "wrong_audience"}]
    assert await answers_to(node, "nosy", good) == await answers_to(node, "nosy", forged) == nothing
    assert (await answers_to(node, "inventory", forged))[2] == {"active": False, "error": "bad_signature"}


async def test_a_token_that_names_nobody_answers_to_every_client_of_the_realm(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection
) -> None:
    free = client_of(realm, "free", secret=SECRET)
    await filling.change(realm, free)
    answer = await node.token_by_secret("acme", "free", SECRET)
    assert await hears(node, "nosy", answer.json()["access_token"])


async def test_a_realm_can_stay_open_while_it_moves_over(
    node: RunningNode, filling: Filling, realm: RealmProjection, worker: ClientProjection
) -> None:
    token = await token_for(node, "inventory")
    assert not await hears(node, "nosy", token)
    sequence = await filling.rotate(msgspec.structs.replace(realm, open_introspection=True))

    async def is_safe() -> bool:
        return (await filling.summary(sequence)).safe

    await eventually(is_safe)
    assert await hears(node, "nosy", token)
