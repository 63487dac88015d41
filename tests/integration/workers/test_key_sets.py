"""Workers share one fetch of a key set with the whole fleet."""

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from tests.integration.workers.several_workers import start_node
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.jwks_server import Page, serving
from tests.testkit.nodes import ASSERTION_TYPE, assertion
from tests.testkit.processes import Processes


async def test_a_key_set_is_fetched_once_for_all_workers(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes
) -> None:
    key = SigningKey.generate()
    async with serving() as server:
        server.pages["/jwks"] = Page([key.public_jwk])
        client = client_of(realm, "signer", authenticator="client-jwt", jwks_url=server.url("/jwks"))
        await filling.change(realm, client)
        node = await start_node(
            processes,
            filling,
            redis_url,
            workers=3,
            KEYTURN_FETCHER_ENABLED="true",
            KEYTURN_JWKS_ALLOWED_NETWORKS="127.0.0.0/8",
        )
        callers = [node.caller() for _ in range(6)]
        for caller in callers:
            form = {
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion(key, "signer", "acme"),
            }
            assert await caller.token(form) == 200
            caller.close()
        assert server.requests["/jwks"] == 1
