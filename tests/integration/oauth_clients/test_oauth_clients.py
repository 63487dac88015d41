"""Unmodified OAuth libraries get tokens. docs/oauth-clients.md has the results, table by table."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.integration.oauth_clients import python_libraries
from tests.integration.oauth_clients.rows import Row, documented
from tests.integration.oauth_clients.scene import Scene, oauth_scene
from tests.testkit.nodejs import RunNode
from tests.testkit.processes import Processes


@pytest.fixture
async def scene(
    redis: Redis,
    redis_url: str,
    nginx: Path,
    processes: Processes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Scene]:
    async with oauth_scene(redis, redis_url, tmp_path, nginx, processes) as made:
        # All of these Python libraries use requests, which gets the trusted authority this way.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.authority))
        yield made


@pytest.mark.parametrize(
    ("library", "run"),
    [
        ("Authlib", python_libraries.authlib),
        ("requests_oauth2client", python_libraries.requests_oauth2client),
        ("MSAL", python_libraries.msal),
        ("PyJWT", python_libraries.pyjwt),
        ("joserfc", python_libraries.joserfc),
        pytest.param(
            "python-keycloak",
            python_libraries.python_keycloak,
            # It also passes its certificate to httpx, which expects another form.
            marks=pytest.mark.filterwarnings("ignore:`cert=...` is deprecated:DeprecationWarning"),
        ),
    ],
)
async def test_a_python_library_gets_tokens_with_every_method_it_has(
    library: str, run: Callable[[Scene], list[Row]], scene: Scene
) -> None:
    rows = await asyncio.to_thread(run, scene)
    assert documented(library) == [str(row) for row in rows]


@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
async def test_a_node_library_gets_tokens_with_every_method_it_has(
    library: str, node: RunNode, scene: Scene
) -> None:
    trusted = {"NODE_EXTRA_CA_CERTS": str(scene.authority)}
    ended = await asyncio.to_thread(
        node, "oauth-clients.mjs", library, environment=trusted, stdin=scene.for_node()
    )
    assert ended.returncode == 0, ended.stderr
    assert documented(library) == [str(Row(**row)) for row in json.loads(ended.stdout)]
