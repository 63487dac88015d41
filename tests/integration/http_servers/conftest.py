from collections.abc import AsyncIterator

import pytest

from tests.integration.http_servers.servers import KINDS, Server, serving
from tests.testkit.tls import ServerTls


@pytest.fixture(scope="session")
def server_tls(tmp_path_factory: pytest.TempPathFactory) -> ServerTls:
    return ServerTls.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def server(kind: str, server_tls: ServerTls) -> AsyncIterator[Server]:
    """Each of the servers, with generous times."""
    async with serving(kind, server_tls) as running:
        yield running
