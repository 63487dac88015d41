"""A node's process is stopped during a revocation: when it continues, it accepts nothing that has ended."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from tests.integration.verifier.node_process import NodeProcess
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import assertion
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until

LEASE_SECONDS = 2.0
REFUSED = (401, 503)


@pytest.fixture
async def filling(redis: Redis, realm: RealmProjection) -> Filling:
    """Short leases."""
    filled = Filling.on(redis, lease=LEASE_SECONDS, margin=0.5)
    await filled.open(realm)
    return filled


@pytest.fixture
async def node(filling: Filling, redis_url: str, processes: Processes) -> AsyncIterator[NodeProcess]:
    started = await NodeProcess.start(processes, redis_url)
    yield started
    started.process.resume()


async def test_a_node_stopped_over_a_revocation_refuses_the_first_request_it_finds(
    node: NodeProcess, filling: Filling, realm: RealmProjection
) -> None:
    client = client_of(realm, "worker", uuid="w", secret="former")
    await filling.change(realm, client)
    key = SigningKey.generate()
    signer = client_of(realm, "signer", key=key)
    await filling.change(realm, signer)
    assert await (await node.ask_with_secret("worker", "former")) == 200
    assert await (await node.ask_with_assertion(assertion(key, "signer", "acme"))) == 200

    node.process.pause()
    await filling.change(realm, client_of(realm, "worker", uuid="w", secret="new"))
    revoked = await filling.revoke_key(realm, signer, key.verification_key.thumbprint)
    begun = asyncio.get_running_loop().time()
    await wait_until(lambda: _safe(filling, revoked))
    assert (await filling.summary(revoked)).fenced == 1
    assert asyncio.get_running_loop().time() - begun > LEASE_SECONDS / 2, "a lease was waited out"
    # These are in its socket before it continues; it cannot have learnt of anything when it reads them.
    asked = [await node.ask_with_secret("worker", "former") for _ in range(10)]
    asked += [await node.ask_with_assertion(assertion(key, "signer", "acme")) for _ in range(10)]
    node.process.resume()
    statuses = await asyncio.gather(*asked)
    assert statuses[0] in REFUSED
    assert set(statuses) <= set(REFUSED)

    await wait_until(node.ready)
    assert await (await node.ask_with_secret("worker", "new")) == 200
    assert await (await node.ask_with_secret("worker", "former")) == 401
    assert await (await node.ask_with_assertion(assertion(key, "signer", "acme"))) == 401


async def test_a_stopped_node_is_waited_for_a_node_that_left_is_not(
    node: NodeProcess, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "worker", uuid="w", secret="former"))
    assert await (await node.ask_with_secret("worker", "former")) == 200
    node.process.pause()
    sequence = await filling.change(realm, client_of(realm, "worker", uuid="w", secret="new"))
    assert len((await filling.summary(sequence)).pending) == 1, "it may still hold its lease"
    node.process.resume()
    await wait_until(lambda: _safe(filling, sequence))
    assert await (await node.ask_with_secret("worker", "former")) in REFUSED
    assert node.process.stop() in (0, -signal.SIGTERM), "it ended as it was told to"
    sequence = await filling.change(realm, client_of(realm, "worker", uuid="w", secret="newest"))
    summary = await filling.summary(sequence)
    assert (summary.safe, summary.nodes) == (True, 0)


async def test_a_node_that_was_killed_is_waited_for_until_its_lease_has_ended(
    node: NodeProcess, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "worker", uuid="w", secret="former"))
    node.process.kill()
    sequence = await filling.change(realm, client_of(realm, "worker", uuid="w", secret="new"))
    assert len((await filling.summary(sequence)).pending) == 1
    await wait_until(lambda: _safe(filling, sequence))
    assert (await filling.summary(sequence)).fenced == 1


async def _safe(filling: Filling, sequence: int) -> bool:
    return (await filling.summary(sequence)).safe
