"""Another server is asked about what a node answered, and nothing that it does changes an answer."""

import asyncio
import sys

import pytest

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.projection import RealmProjection
from keyturn_verifier.shadow import other_server
from tests.testkit.filled_redis import FLEET_KEY, Filling, client_of
from tests.testkit.nodes import RunningNode, basic, eventually, running_node
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until

SECRET = "a secret of every client here"
INTROSPECT = "/realms/acme/protocol/openid-connect/token/introspect"
_QUESTIONS = 12


@pytest.fixture
async def other(processes: Processes) -> str:
    """The URL of the other server's process."""
    port = find_free_port()
    processes.start([sys.executable, "-m", "tests.integration.verifier.shadow_server", str(port)])

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await wait_until(listens, timeout=60)
    return f"http://127.0.0.1:{port}"


async def token_of(node: RunningNode) -> str:
    answer = await node.token_by_secret("acme", "worker", SECRET)
    return str(answer.json()["access_token"])


async def introspect(node: RunningNode, token: str) -> object:
    headers = {"Authorization": basic("worker", SECRET)}
    answer = await node.http.post(INTROSPECT, data={"token": token}, headers=headers)
    assert answer.status_code == 200
    return answer.json()["active"]


async def test_differences_are_counted_by_kind_and_answers_stay_as_they_are(
    filling: Filling,
    realm: RealmProjection,
    redis_url: str,
    other: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    away = f"http://127.0.0.1:{find_free_port()}"
    for url, token, line in (
        (f"{other}/agrees", "own", 'keyturn_shadow_comparisons_total{kind="agreed"}'),
        (f"{other}/refuses", "foreign", 'keyturn_shadow_comparisons_total{kind="agreed"}'),
        (f"{other}/refuses", "own", 'keyturn_shadow_comparisons_total{kind="only_here"}'),
        (f"{other}/lies", "foreign", 'keyturn_shadow_comparisons_total{kind="only_there"}'),
        (f"{other}/lies", "own", 'keyturn_shadow_differing_members_total{member="client_id"}'),
        (f"{other}/hangs", "own", 'keyturn_shadow_failures_total{reason="timeout"}'),
        (f"{other}/fails", "own", 'keyturn_shadow_failures_total{reason="status"}'),
        (f"{other}/babbles", "own", 'keyturn_shadow_failures_total{reason="unreadable"}'),
        (f"{other}/floods", "own", 'keyturn_shadow_failures_total{reason="too_long"}'),
        (away, "own", 'keyturn_shadow_failures_total{reason="connection"}'),
    ):
        monkeypatch.setattr(other_server, "ANSWER_SECONDS", 0.2 if url.endswith("/hangs") else 60.0)
        async with running_node(
            redis_url,
            shadow_url=url,
            shadow_share=1.0,
            shadow_client_id="shadow",
            shadow_client_secret="of-the-shadow",
        ) as node:
            asked = await token_of(node) if token == "own" else "no.such.token"
            answers = [await introspect(node, asked) for _ in range(_QUESTIONS)]
            assert answers == [token == "own"] * _QUESTIONS, url

            async def counted(node: RunningNode = node, line: str = line) -> bool:
                return await node.metric(line) > 0

            await eventually(counted)
            assert await node.ready(), url


async def test_a_node_without_an_other_server_counts_nothing(node: RunningNode) -> None:
    assert "keyturn_shadow" not in (await node.http.get("/metrics")).text


async def test_credentials_are_required() -> None:
    with pytest.raises(ConfigurationError, match="KEYTURN_SHADOW_URL needs KEYTURN_SHADOW_CLIENT_ID"):
        async with running_node("redis://unused", wait=False, shadow_url="http://x", fleet_keys=FLEET_KEY):
            raise AssertionError("it does not start")
