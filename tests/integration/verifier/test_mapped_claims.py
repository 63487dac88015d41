"""Claims of protocol mappers in tokens that a node issues, and in what it says of them."""

from typing import Any

import jwt
import msgspec

from keyturn_shared.projected_mappers import ProjectedMapper
from keyturn_shared.projection import RealmProjection
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import RunningNode, basic, eventually

SECRET = "a secret of the worker"
SCOPE = (
    ProjectedMapper(kind="note", claim=("clientHost",), source="clientHost"),
    ProjectedMapper(kind="identity", claim=("client_id",), source="client_id"),
)
OWN = (
    ProjectedMapper(kind="constant", claim=("tenant", "tier"), value="gold"),
    ProjectedMapper(kind="constant", claim=("token_only",), value=1, in_introspection=False),
    ProjectedMapper(kind="constant", claim=("asked_only",), value=2, in_token=False),
    ProjectedMapper(kind="constant", claim=("iss",), value="https://evil.example"),
    ProjectedMapper(kind="audience", value="https://api.example"),
)


async def token_of(node: RunningNode) -> str:
    answer = await node.token_by_secret("acme", "worker", SECRET)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def introspected(node: RunningNode, token: str) -> dict[str, Any]:
    answer = await node.http.post(
        "/realms/acme/protocol/openid-connect/token/introspect",
        data={"token": token},
        headers={"Authorization": basic("worker", SECRET)},
    )
    return dict(answer.json())


async def test_a_claim_ends_with_its_mapper_on_every_node(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    """A token keeps what it says; whoever asks hears what is in force once the change is."""
    with_scope = msgspec.structs.replace(
        realm, default_scopes=("service_account",), scope_mappers={"service_account": SCOPE}
    )
    worker = client_of(realm, "worker", secret=SECRET, mappers=OWN)
    await filling.rotate(with_scope)
    await filling.change(with_scope, worker)
    token = await token_of(node)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iss"].endswith("/realms/acme")
    assert claims["aud"] == "https://api.example"
    assert claims["clientHost"] == "127.0.0.1"
    assert (claims["tenant"], claims["token_only"]) == ({"tier": "gold"}, 1)
    assert "asked_only" not in claims
    shown = await introspected(node, token)
    assert (shown["active"], shown["tenant"], shown["asked_only"]) == (True, {"tier": "gold"}, 2)
    assert shown["clientHost"] == "127.0.0.1"
    assert "token_only" not in shown

    sequence = await filling.change(with_scope, msgspec.structs.replace(worker, mappers=OWN[2:]))

    async def is_safe() -> bool:
        return (await filling.summary(sequence)).safe

    await eventually(is_safe)
    shown = await introspected(node, token)
    assert shown["active"] is True
    assert shown["clientHost"] == "127.0.0.1"
    assert "tenant" not in shown

    sequence = await filling.rotate(msgspec.structs.replace(with_scope, scope_mappers={}))
    await eventually(is_safe)
    assert "clientHost" not in await introspected(node, token)
    assert "clientHost" not in jwt.decode(await token_of(node), options={"verify_signature": False})
