"""PostgreSQL fails over: writes continue at the new primary, and readiness is accurate meanwhile."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.database_name import DatabaseName
from tests.testkit.postgres import PostgresServer
from tests.testkit.waiting import wait_until, wait_until_blocking

_RESUMED_SECONDS = 60.0
"""Generous: docs/operations.md has the time on a quiet machine."""


@pytest.fixture
def primary() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def standby(primary: PostgresServer) -> Iterator[PostgresServer]:
    server = primary.standby()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def name(tmp_path: Path, primary: PostgresServer) -> DatabaseName:
    made = DatabaseName(tmp_path)
    made.lead_to(primary)
    return made


@pytest.fixture
async def api(primary: PostgresServer, name: DatabaseName, redis_url: str) -> AsyncIterator[AdminApi]:
    settings = settings_for(name.url(primary.create_database()), redis_url)
    async with running(settings) as started:
        await started.create("", {"realm": "acme"})
        yield started


async def create(api: AdminApi, client_id: str) -> httpx.Response:
    return await api.call("POST", "/acme/clients", json={"clientId": client_id})


async def readiness(api: AdminApi) -> httpx.Response:
    return await api.http.get("/health/ready")


async def test_changes_go_on_at_the_new_primary_and_nothing_acknowledged_is_lost(
    api: AdminApi, primary: PostgresServer, standby: PostgresServer, name: DatabaseName
) -> None:
    assert (await create(api, "before")).status_code == 201
    assert (await readiness(api)).status_code == 200
    # The primary stops cleanly, so the standby has everything; then it comes back as a standby, while the
    # name still leads to it.
    primary.stop()
    standby.promote()
    primary.follow(standby)
    primary.start()

    async def told() -> bool:
        answer = await create(api, "to-a-standby")
        assert answer.status_code == 503
        return "accepts writes" in str(answer.json()["detail"])

    await wait_until(told, timeout=_RESUMED_SECONDS)

    async def not_ready() -> bool:
        answer = await readiness(api)  # which may be a second old
        return answer.status_code == 503 and "accepts writes" in answer.json()["reasons"]["database"]

    await wait_until(not_ready, timeout=_RESUMED_SECONDS)

    name.lead_to(standby)

    async def resumed() -> bool:
        return (await create(api, "after")).status_code in (201, 409)

    await wait_until(resumed, timeout=_RESUMED_SECONDS)
    assert (await wait_until(lambda: _ready(api), timeout=_RESUMED_SECONDS)).status_code == 200
    listed = await api.call("GET", "/acme/clients")
    assert {"before", "after"} <= {client["clientId"] for client in listed.json()}
    assert "to-a-standby" not in {client["clientId"] for client in listed.json()}
    # The old primary has no followers: its sessions were dropped.
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'keyturn-credentials'"
    wait_until_blocking(lambda: primary.execute(count).strip() == "0", timeout=_RESUMED_SECONDS)


async def test_sessions_that_became_read_only_are_given_up_at_the_first_refusal(
    api: AdminApi, primary: PostgresServer
) -> None:
    """Poolers and proxies behave like this: the connection stays, and leads to a server that accepts no
    writes."""
    assert (await create(api, "before")).status_code == 201
    primary.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    primary.execute("SELECT pg_reload_conf()")
    wait_until_blocking(lambda: primary.execute("SHOW default_transaction_read_only").strip() == "on")

    async def refused() -> bool:
        return (await create(api, "meanwhile")).status_code == 503

    await wait_until(refused, timeout=_RESUMED_SECONDS)

    async def not_ready() -> bool:
        return (await readiness(api)).status_code == 503

    await wait_until(not_ready, timeout=_RESUMED_SECONDS)
    primary.execute("ALTER SYSTEM RESET default_transaction_read_only")
    primary.execute("SELECT pg_reload_conf()")

    async def resumed() -> bool:
        return (await create(api, "after")).status_code in (201, 409)

    await wait_until(resumed, timeout=_RESUMED_SECONDS)
    await wait_until(lambda: _ready(api), timeout=_RESUMED_SECONDS)


async def test_a_server_that_ends_all_sessions_is_connected_to_anew(
    api: AdminApi, primary: PostgresServer
) -> None:
    assert (await create(api, "before")).status_code == 201
    primary.execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = 'keyturn-credentials'"
    )

    async def taken() -> bool:
        # A session that ends during a change is another matter: that change is answered with 503.
        return (await create(api, "after")).status_code == 201

    await wait_until(taken, timeout=_RESUMED_SECONDS)


async def _ready(api: AdminApi) -> httpx.Response | None:
    answer = await readiness(api)
    return answer if answer.status_code == 200 else None
