"""Faults of a real PostgreSQL: each is found, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from keyturn.doctor.findings import Area
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from tests.integration.doctor.examining import diagnosed
from tests.testkit.admin_api import running, settings_for
from tests.testkit.nodes import eventually
from tests.testkit.pgbouncer import pgbouncer
from tests.testkit.postgres import PostgresServer
from tests.testkit.tcp_proxy import tcp_proxy

_DATABASE = frozenset({Area.DATABASE})
_AUDIT = frozenset({Area.AUDIT})


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgresServer]:
    """A server with the settings of one that is in use: those of tests are not durable."""
    server = PostgresServer(fsync="on", full_page_writes="on")
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def name(durable_server: PostgresServer) -> Iterator[str]:
    name = durable_server.create_database()
    yield name
    durable_server.drop_database(name)


@pytest.fixture
async def settings(durable_server: PostgresServer, name: str, redis_url: str) -> CredentialsSettings:
    """Settings of a database that a credentials service has used."""
    settings = settings_for(durable_server.url(name), redis_url)
    async with running(settings):
        pass
    return settings


def by_port(settings: CredentialsSettings, name: str, port: int) -> CredentialsSettings:
    url = f"postgresql+asyncpg://keyturn@127.0.0.1:{port}/{name}"
    return settings.model_copy(update={"database_url": url})


def socket_of(server: PostgresServer) -> Path:
    return server.directory / ".s.PGSQL.5432"


async def test_a_server_without_faults_has_no_finding(settings: CredentialsSettings) -> None:
    assert await diagnosed(settings, _DATABASE | _AUDIT) == ([], 0)


async def test_an_audit_log_that_is_not_what_was_signed(settings: CredentialsSettings) -> None:
    database = Database(settings.database_url)
    waiting = text("SELECT count(*) AS number FROM audit WHERE chain_number IS NULL")

    async def has_no_more() -> bool:
        return bool((await database.find(waiting))[0].number == 0)

    async with running(settings):
        await eventually(has_no_more)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE audit SET action = 'x'"))
    await database.close()
    assert await diagnosed(settings, _DATABASE | _AUDIT) == (["audit_chain_broken"], 1)


async def test_a_server_that_does_not_run(settings: CredentialsSettings, name: str, free_port: int) -> None:
    assert await diagnosed(by_port(settings, name, free_port), _DATABASE) == (["database_unreachable"], 1)


async def test_a_server_that_is_read_only(
    settings: CredentialsSettings, durable_server: PostgresServer, name: str
) -> None:
    durable_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert await diagnosed(settings, _DATABASE) == (["database_read_only"], 1)


async def test_commits_that_do_not_wait_for_the_disk(
    settings: CredentialsSettings, durable_server: PostgresServer, name: str
) -> None:
    durable_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    assert await diagnosed(settings, _DATABASE) == (["database_commit_default"], 0)


async def test_a_server_that_never_waits_for_the_disk(
    postgres_server: PostgresServer, postgres_url: str, redis_url: str
) -> None:
    settings = settings_for(postgres_url, redis_url)
    async with running(settings):
        pass
    assert await diagnosed(settings, _DATABASE) == (["database_not_durable"] * 2, 1)


async def test_a_pooler_that_shares_sessions(
    settings: CredentialsSettings, durable_server: PostgresServer, name: str
) -> None:
    with pgbouncer(durable_server, "transaction") as port:
        assert await diagnosed(by_port(settings, name, port), _DATABASE) == (["database_pooler"], 1)


async def test_a_version_that_is_too_old(
    settings: CredentialsSettings, durable_server: PostgresServer, name: str
) -> None:
    version = durable_server.execute("SHOW server_version_num").strip()
    rewritten = {version.encode(): b"12" + version[2:].encode()}
    async with tcp_proxy(socket_of(durable_server), rewritten=rewritten) as proxy:
        assert await diagnosed(by_port(settings, name, proxy.port), _DATABASE) == (
            ["database_version_old"],
            1,
        )


async def test_a_slow_network(
    settings: CredentialsSettings, durable_server: PostgresServer, name: str
) -> None:
    async with tcp_proxy(socket_of(durable_server)) as proxy:
        proxy.delay = 0.06
        found = await diagnosed(by_port(settings, name, proxy.port), _DATABASE, slow=True)
    assert found == (["database_slow"], 0)


async def test_a_server_that_does_not_answer(
    settings: CredentialsSettings, durable_server: PostgresServer, name: str
) -> None:
    """The check ends in time all the same."""
    async with tcp_proxy(socket_of(durable_server)) as proxy:
        proxy.fall_silent()
        found = await diagnosed(by_port(settings, name, proxy.port), _DATABASE, seconds=2.0)
    assert found == (["check_timed_out"], 1)
