"""Each service over TLS with a private CA, under its user of deploy/redis/users.acl."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import AnyHttpUrl
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from keyturn import ResourceServerSettings, TokenRefusedError, Verifier
from keyturn_credentials.console.one_time_tokens import OneTimeTokens
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.failures import FailureRegistry
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from tests.integration.engines.whole import REALM, whole
from tests.testkit.filled_redis import SIGNER
from tests.testkit.nodes import BASE_URL, assertion
from tests.testkit.private_ca import private_ca
from tests.testkit.processes import Processes
from tests.testkit.redis_groups import Server, start_server
from tests.testkit.redis_reading import execute
from tests.testkit.tcp_proxy import tcp_proxy
from tests.testkit.waiting import wait_until

API = "https://orders.example.com"
USERS = Path(__file__).parents[3] / "deploy" / "redis" / "users.acl"
RESOURCE_SERVER = "keyturn-resource-server"
PASSWORDS = {
    "keyturn-credentials": "of-credentials",
    "keyturn-verifier": "of-verifiers",
    RESOURCE_SERVER: "of-resource-servers",
    "admin": "of-admin",
}


@dataclass
class Secured:
    """A Redis with those users behind TLS."""

    server: Server
    port: int
    ca_file: Path

    def url(self, user: str) -> str:
        return f"rediss://{user}:{PASSWORDS[user]}@127.0.0.1:{self.port}/0?ca_file={self.ca_file}"

    def client(self, user: str) -> Redis:
        return connect(self.url(user))


@pytest.fixture
async def secured(processes: Processes, tmp_path: Path) -> AsyncIterator[Secured]:
    # Unchanged: Redis refuses an aclfile with comments.
    text = USERS.read_text() + "user admin on >change-me ~* &* +@all\n"
    for name, password in PASSWORDS.items():
        text = text.replace(f"user {name} on >change-me", f"user {name} on >{password}")
    assert "change-me" not in text
    users = tmp_path / "users.acl"
    users.write_text(text)
    ca_file, context = private_ca(tmp_path / "tls")
    server = start_server(processes, tmp_path / "redis", aclfile=str(users))
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(tcp_proxy(server.port, context))
        secured = Secured(server, way.port, ca_file)

        async def answers() -> bool:
            admin = secured.client("admin")
            try:
                return bool(await admin.ping())
            except (RedisError, OSError):
                return False
            finally:
                await admin.aclose()

        await wait_until(answers)
        yield secured


async def test_the_services_need_no_right_that_their_users_do_not_have(
    secured: Secured, tmp_path: Path
) -> None:
    verifier = secured.url("keyturn-verifier")
    async with AsyncExitStack() as stack:
        admin = secured.client("admin")
        stack.push_async_callback(admin.aclose)
        stack.push_async_callback(_nothing_was_denied, admin)
        fleet = await stack.enter_async_context(
            whole(tmp_path, secured.url("keyturn-credentials"), nodes_redis_url=verifier)
        )
        await fleet.use_everything()
        await admin.flushall()
        await fleet.use_everything()
        # As after a failover: Redis is a process that no relay has vouched for.
        await admin.hset("kt:{0}:head", "vouched", "another process")
        await fleet.use_everything()
        console = secured.client("keyturn-credentials")
        stack.push_async_callback(console.aclose)
        assert await OneTimeTokens(console).spend("1", 60)
        assert await OneTimeTokens(console).is_spent("1")
        node = secured.client("keyturn-verifier")
        stack.push_async_callback(node.aclose)
        counted = await FailureRegistry(RedisScripts(node), 60).add({"address 192.0.2.1": 2})
        assert counted["address 192.0.2.1"].total == 2


async def test_a_resource_server_needs_no_right_that_its_user_does_not_have(
    secured: Secured, tmp_path: Path
) -> None:
    """It needs no secret key either."""
    settings = ResourceServerSettings(
        redis_url=secured.url(RESOURCE_SERVER),
        public_url=AnyHttpUrl(BASE_URL),
        log_verification_keys=SIGNER.keys.public_keys,
    )
    key = SigningKey.generate()
    async with AsyncExitStack() as stack:
        admin = secured.client("admin")
        stack.push_async_callback(admin.aclose)
        stack.push_async_callback(_nothing_was_denied, admin)
        fleet = await stack.enter_async_context(
            whole(
                tmp_path,
                secured.url("keyturn-credentials"),
                nodes_redis_url=secured.url("keyturn-verifier"),
                nodes=1,
            )
        )
        reader = await fleet.make_client("reader", attributes={"keyturn.audiences": API})
        jwks = json.dumps({"keys": [key.public_jwk]})
        attributes = {"use.jwks.string": "true", "jwks.string": jwks}
        await fleet.make_client("signer", clientAuthenticatorType="client-jwt", attributes=attributes)
        secret = await fleet.regenerate(reader)
        form = {"client_id": "reader", "client_secret": secret, "resource": API}
        token = (await fleet.nodes[0].token(REALM, form)).json()["access_token"]
        verifier = await stack.enter_async_context(Verifier(REALM, audience=API, settings=settings))
        assert (await verifier.verify_access_token(token)).client_id == "reader"
        signed = assertion(key, "signer", REALM, aud=API)
        assert (await verifier.verify_client_token(signed)).client_id == "signer"
        with pytest.raises(TokenRefusedError):
            await verifier.verify_client_token(signed)


async def _nothing_was_denied(admin: Redis) -> None:
    denied = {f"{entry['username']}: {entry['object']}" for entry in await admin.acl_log()}
    assert denied == set()


async def test_the_users_can_do_nothing_that_the_services_need_not(secured: Secured) -> None:
    forbidden = {
        "keyturn-verifier": [
            ("HSET", "kt:{0}:head", "sequence", "9"),
            ("HSET", "kt:{0}:1:projections", "client:r:c", "9:{}"),
            ("HDEL", "kt:{0}:1:projections", "client:r:c"),
            ("XADD", "kt:{0}:events", "1-1", "__data__", "{}"),
            ("DEL", "kt:{0}:jti:u:1"),
            ("EVAL", "return redis.call('SET', KEYS[1], '1')", "1", "kt:{0}:head"),
            ("CONFIG", "GET", "*"),
        ],
        RESOURCE_SERVER: [
            ("HSET", "kt:{0}:head", "sequence", "9"),
            ("HSET", "kt:{0}:1:projections", "client:r:c", "9:{}"),
            ("XADD", "kt:{0}:events", "1-1", "__data__", "{}"),
            ("SET", "kt:{0}:keyset:1", "{}"),
            ("XADD", "kt:{0}:jwks", "*", "a", "b"),
            ("INCRBY", "kt:{0}:failures:a", "1"),
            ("DEL", "kt:{0}:jti:u:1"),
            ("CONFIG", "GET", "*"),
        ],
        "keyturn-credentials": [
            ("SET", "kt:{0}:jti:u:1", "1"),
            ("SET", "kt:{0}:keyset:1", "{}"),
            ("EVAL", "return 1", "0"),
            ("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"),
        ],
    }
    everywhere = [("GET", "another"), ("SET", "another", "1"), ("FLUSHALL",), ("KEYS", "*"), ("SHUTDOWN",)]
    everywhere += [("REPLICAOF", "NO", "ONE"), ("ACL", "LIST")]
    for user, calls in forbidden.items():
        client = secured.client(user)
        for call in [*calls, *everywhere]:
            with pytest.raises(NoPermissionError):
                await execute(client, *call)
        await client.aclose()


async def test_a_script_that_nodes_may_run_cannot_write_what_they_may_not(secured: Secured) -> None:
    """Permission to run scripts over a key is not permission to change it."""
    admin, node = secured.client("admin"), secured.client("keyturn-verifier")
    forging = await admin.script_load("return redis.call('HSET', KEYS[1], 'client:r:c', '9:{}')")
    with pytest.raises(RedisError, match=r"(?i)permission"):
        await node.evalsha(forging, 1, "kt:{0}:1:projections")
    for client in (admin, node):
        await client.aclose()


async def test_a_server_whose_certificate_is_not_from_that_ca_is_not_talked_to(
    secured: Secured, tmp_path: Path
) -> None:
    another, _ = private_ca(tmp_path / "another")
    url = secured.url("keyturn-verifier").replace(str(secured.ca_file), str(another))
    client = connect(url)
    with pytest.raises(RedisUnavailableError, match=r"(?i)certificate"):
        await FleetRegistry(RedisScripts(client)).view()
    await client.aclose()
    await asyncio.sleep(0)  # let the transports end
