"""A limited node's keys and all of Redis do not suffice to decrypt, compare or sign for another realm."""

import json

from redis.asyncio import Redis

from keyturn_shared.jose import base64url
from keyturn_shared.signed_log.keys import FETCHER, LogSigningKeys
from tests.integration.limited_nodes.intruder import Intruder
from tests.integration.limited_nodes.scene import (
    FLEET_KEY,
    LOG_KEYS,
    SECRET,
    Limited,
    change,
    id_of,
    limited_node,
    make_realm,
    realm_keys,
)
from tests.testkit.nodes import RunningNode
from tests.testkit.redis_contents import everything_in


def held_by_limited(scene: Limited) -> list[bytes]:
    return [base64url.decode_text(key) for key in scene.realm_keys.split(":")[1:]]


async def client_uuids(scene: Limited, realm: str) -> dict[str, str]:
    clients = (await scene.api.call("GET", f"/{realm}/clients")).json()
    return {each["clientId"]: each["id"] for each in clients}


async def kids(scene: Limited, realm: str) -> set[str]:
    return {each["kid"] for each in (await scene.api.call("GET", f"/{realm}/keys")).json()["keys"]}


async def used(scene: Limited) -> None:
    """Use every feature once, so that Redis contains all it ever does."""
    for realm, nodes in (("acme", (scene.full, scene.limited)), ("beta", (scene.full,))):
        for node in nodes:
            assert (await node.token_by_secret(realm, "by-secret", SECRET)).status_code == 200


async def test_what_opens_is_its_own_realms_and_nothing_else(scene: Limited, redis: Redis) -> None:
    """Every value is tried under every derivable key, in every context. With the fleet keys the same attempts
    decrypt everything."""
    await used(scene)
    text = await everything_in(redis)

    async def told_apart(opened: set[str]) -> tuple[set[str], int]:
        signing = {json.loads(each)["kid"] for each in opened if each.startswith("{")}
        assert len(opened) - len(signing) in (0, 1), "both realms have the same secret"
        return signing, len(opened) - len(signing)

    acme, beta = await kids(scene, "acme"), await kids(scene, "beta")
    signing, secrets = await told_apart(Intruder.with_keys(text, held_by_limited(scene)).opened())
    assert signing < acme
    assert (len(signing), secrets) == (2, 1)
    whole, _ = await told_apart(Intruder.with_keys(text, [base64url.decode_text(FLEET_KEY)]).opened())
    assert (len(whole & acme), len(whole & beta)) == (2, 2)


async def test_no_digest_of_another_realm_can_be_compared(scene: Limited, redis: Redis) -> None:
    await used(scene)
    text = await everything_in(redis)
    acme, beta = await client_uuids(scene, "acme"), await client_uuids(scene, "beta")
    own = {f"client-secret:{acme[name]}" for name in ("by-secret", "by-secret-jwt")}
    others = {f"client-secret:{beta[name]}" for name in ("by-secret", "by-secret-jwt")}
    assert Intruder.with_keys(text, held_by_limited(scene)).recognized(SECRET) == own
    assert Intruder.with_keys(text, [base64url.decode_text(FLEET_KEY)]).recognized(SECRET) == own | others


async def test_what_it_holds_signs_neither_the_log_nor_key_sets(scene: Limited, redis: Redis) -> None:
    text = await everything_in(redis)
    trusted = {
        *LogSigningKeys.from_text(LOG_KEYS).public_keys.split(","),
        *LogSigningKeys.derived_from(FLEET_KEY).public_keys.split(","),
        *LogSigningKeys.derived_from(FLEET_KEY, FETCHER).public_keys.split(","),
    }
    assert trusted.isdisjoint(Intruder.with_keys(text, held_by_limited(scene)).public_halves())
    with_fleet_keys = Intruder.with_keys(text, [base64url.decode_text(FLEET_KEY)]).public_halves()
    assert len(trusted & with_fleet_keys) == 2


async def test_a_realm_that_was_deleted_and_made_again_is_another_to_it(scene: Limited, redis: Redis) -> None:
    """Even if it is recreated under its former id, as from an export, with or without clients."""
    former = scene.ids["acme"]
    await scene.change("DELETE", "/acme")
    await change(scene.api, "POST", "", json={"realm": "acme", "id": former})
    assert await id_of(scene.api, "acme") != former
    await scene.change("DELETE", "/acme")
    await make_realm(scene.api, "acme", scene.key)
    assert (await scene.full.token_by_secret("acme", "by-secret", SECRET)).status_code == 200
    assert (await scene.limited.token_by_secret("acme", "by-secret", SECRET)).status_code == 404
    opened = Intruder.with_keys(await everything_in(redis), held_by_limited(scene)).opened()
    signing = {json.loads(each)["kid"] for each in opened if each.startswith("{")}
    assert signing.isdisjoint(await kids(scene, "acme"))
    assert signing.isdisjoint(await kids(scene, "beta"))


async def test_an_id_of_a_deleted_realm_that_never_had_clients_is_not_given_again(scene: Limited) -> None:
    """A node may have been given its keys."""
    await scene.change("POST", "", json={"realm": "short", "id": "chosen-by-its-export"})
    assert await id_of(scene.api, "short") == "chosen-by-its-export"
    await scene.change("DELETE", "/short")
    await scene.change("POST", "", json={"realm": "short", "id": "chosen-by-its-export"})
    assert await id_of(scene.api, "short") != "chosen-by-its-export"


async def test_a_node_may_have_the_keys_of_several_realms(scene: Limited) -> None:
    async def status(node: RunningNode, realm: str) -> int:
        return (await node.token_by_secret(realm, "by-secret", SECRET)).status_code

    await make_realm(scene.api, "gamma", scene.key)
    async with limited_node(scene.api, realm_keys(scene.api, scene.ids["acme"], scene.ids["beta"])) as two:
        assert [await status(two, realm) for realm in ("acme", "beta", "gamma")] == [200, 200, 404]
