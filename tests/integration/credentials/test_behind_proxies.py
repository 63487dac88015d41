"""The credentials service takes a caller's address from trusted proxies only."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from keyturn_credentials.console.throttle import ALLOWED_FAILURES
from tests.testkit.admin_api import AdminApi, running, settings_for

FORGED = "198.51.100.9"


@pytest.fixture
async def database_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/keyturn.db"


@pytest.fixture
async def behind(database_url: str, redis_url: str) -> AsyncIterator[AdminApi]:
    """Every request comes from 127.0.0.1, a trusted proxy like 10.0.0.0/24."""
    settings = settings_for(database_url, redis_url, trusted_proxies="127.0.0.1, 10.0.0.0/24")
    async with running(settings) as api:
        yield api


async def fail_to_sign_in(api: AdminApi, forwarded_for: str | None) -> int:
    credentials = {"realm": "master", "client_id": "nobody", "client_secret": "wrong"}
    headers = {} if forwarded_for is None else {"X-Forwarded-For": forwarded_for}
    return (await api.http.post("/console/session", json=credentials, headers=headers)).status_code


async def address_in_audit(api: AdminApi, forwarded_for: str) -> Any:
    """Return the audit log's address of a change."""
    forwarded = {"X-Forwarded-For": forwarded_for}
    cleared = await api.call("POST", "/master/clear-keys-cache", headers=forwarded)
    assert cleared.status_code == 204, cleared.text
    return (await api.call("GET", "/master/audit")).json()[0]["remote_address"]


async def test_failed_sign_ins_count_for_the_caller_and_for_nobody_else(behind: AdminApi) -> None:
    chain = "192.0.2.1, 10.0.0.7"
    statuses = [await fail_to_sign_in(behind, chain) for _ in range(ALLOWED_FAILURES + 1)]
    assert statuses == [401] * ALLOWED_FAILURES + [429]
    assert await fail_to_sign_in(behind, f"{FORGED}, {chain}") == 429
    assert await fail_to_sign_in(behind, "192.0.2.2, 10.0.0.7") == 401


async def test_the_audit_log_has_the_address_that_the_nearest_trusted_proxy_saw(behind: AdminApi) -> None:
    assert await address_in_audit(behind, f"{FORGED}, 192.0.2.1") == "192.0.2.1"
    assert await address_in_audit(behind, f"{FORGED}, 192.0.2.1:4711, 10.0.0.7") == "192.0.2.1"
    assert await address_in_audit(behind, f"{FORGED}, nonsense, 10.0.0.7") == "10.0.0.7"


async def test_an_address_from_somebody_who_is_not_trusted_does_not_count_and_is_reported(
    database_url: str, redis_url: str
) -> None:
    settings = settings_for(database_url, redis_url, trusted_proxies="10.0.0.0/24")
    async with running(settings) as api:
        assert await address_in_audit(api, FORGED) == "127.0.0.1"
        metrics = (await api.http.get("/metrics", headers={"X-Forwarded-For": FORGED})).text
    assert 'keyturn_proxy_chain_faults_total{fault="untrusted_peer"} 1.0' in metrics
