"""A page of a list has a maximum size, whatever a caller asks for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.testkit.admin_api import AdminApi, running, settings_for

_HELD = 5
"""Entries of each list, more than a page may have here."""


@pytest.fixture
async def api(tmp_path: Path, redis_url: str) -> AsyncIterator[AdminApi]:
    async with running(settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)) as started:
        await started.call("POST", "", json={"realm": "acme"})
        url = {"use.jwks.url": "true", "jwks.url": "https://client.example/jwks"}
        expiring = {"keyturn.secret.expiration-period": "1000"}
        for number in range(_HELD):
            client = {"clientId": f"client-{number}", "attributes": url | expiring}
            uuid = await started.create("/acme/clients", client)
            await started.create(f"/acme/clients/{uuid}/rotations", {"reason": "compromised"})
        yield started


@pytest.mark.parametrize(
    ("module", "path"),
    [
        ("clients", "/acme/clients"),
        ("jwks_urls", "/acme/jwks-urls"),
        ("expiring_secrets", "/acme/expiring-secrets"),
        ("rotations", "/acme/rotations"),
        ("rotations", "/acme/rotations/plan"),
        ("event_log", "/acme/event-log"),
        ("audit", "/acme/audit"),
    ],
)
async def test_a_page_is_no_longer_than_it_may_be(
    api: AdminApi, monkeypatch: pytest.MonkeyPatch, module: str, path: str
) -> None:
    name = {"event_log": "events", "jwks_urls": "jwks_url_health"}.get(module, module)
    assert len((await api.call("GET", f"{path}?max={_HELD}")).json()) == _HELD
    monkeypatch.setattr(f"keyturn_credentials.web.{name}.MAX_PAGE", 3)
    beyond = "&first=1" if module == "clients" else ""
    answer = await api.call("GET", f"{path}?max={_HELD}{beyond}")
    assert (answer.status_code, len(answer.json())) == (200, 3)


async def test_clients_are_counted_up_to_a_limit(api: AdminApi, monkeypatch: pytest.MonkeyPatch) -> None:
    count = "/acme/client-count"
    assert (await api.call("GET", count)).json() == {"count": _HELD, "more": False}
    found = await api.call("GET", f"{count}?clientId=IENT-3&search=true")
    assert found.json() == {"count": 1, "more": False}
    monkeypatch.setattr("keyturn_credentials.web.clients.MAX_COUNT", _HELD - 1)
    assert (await api.call("GET", count)).json() == {"count": _HELD - 1, "more": True}
