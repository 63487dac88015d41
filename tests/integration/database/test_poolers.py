"""A pooler in front of PostgreSQL works if it keeps sessions apart, and is refused otherwise."""

import pytest

from keyturn_shared.errors import ConfigurationError
from tests.testkit.admin_api import running, settings_for
from tests.testkit.pgbouncer import pgbouncer
from tests.testkit.postgres import PostgresServer


@pytest.mark.parametrize("pool_mode", ["transaction", "statement"])
async def test_a_pooler_that_shares_sessions_is_refused_at_the_start(
    postgres_server: PostgresServer, redis_url: str, pool_mode: str
) -> None:
    name = postgres_server.create_database()
    with pgbouncer(postgres_server, pool_mode) as port:
        settings = settings_for(f"postgresql+asyncpg://keyturn@127.0.0.1:{port}/{name}", redis_url)
        with pytest.raises(ConfigurationError, match="pool_mode=session"):
            async with running(settings):
                pass


async def test_a_pooler_that_keeps_sessions_apart_works(
    postgres_server: PostgresServer, redis_url: str
) -> None:
    name = postgres_server.create_database()
    with pgbouncer(postgres_server, "session") as port:
        settings = settings_for(f"postgresql+asyncpg://keyturn@127.0.0.1:{port}/{name}", redis_url)
        async with running(settings) as api:
            await api.create("", {"realm": "acme"})
            for number in range(10):
                await api.create("/acme/clients", {"clientId": f"client-{number}"})
            assert len((await api.call("GET", "/acme/clients")).json()) == 10
            assert (await api.http.get("/health/ready")).status_code == 200
