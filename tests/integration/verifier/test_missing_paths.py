"""An unknown path is 404, whatever was sent to it."""

import pytest
import structlog

from tests.testkit.nodes import RunningNode


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("body", [b"", b"grant_type=client_credentials", b"x" * 20_000])
@pytest.mark.parametrize(
    "path",
    [
        "/realms/acme/protocol/openid-connect/nothing",
        "/realms/acme/nothing",
        "/realms/",
        "/realms",
        "/nothing",
        "/auth/realms/acme/protocol/openid-connect/token",
    ],
)
async def test_nothing_is_there(node: RunningNode, method: str, body: bytes, path: str) -> None:
    answer = await node.http.request(method, path, content=body)
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


async def test_the_log_says_once_that_a_gateway_left_a_path_prefix(node: RunningNode) -> None:
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await node.http.post("/keyturn/realms/acme/protocol/openid-connect/token")
        await node.http.post("/realms/acme/nothing")
    said = [entry for entry in logs if entry["event"] == "path_prefix_not_stripped"]
    assert len(said) == 1
    assert "KEYTURN_PUBLIC_URL" in said[0]["detail"]
