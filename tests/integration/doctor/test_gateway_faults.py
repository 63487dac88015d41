"""A fleet behind the ready nginx file is healthy; each fault of the gateway is found, and nothing else."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import AnyHttpUrl

from keyturn.doctor.findings import Area
from tests.integration.doctor.examining import diagnosed
from tests.integration.doctor.fleet_behind_nginx import FleetBehindNginx, fleet_behind_nginx
from tests.testkit.ports import find_free_port
from tests.testkit.tls import ServerTls
from tests.testkit.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

_GATEWAY = frozenset({Area.GATEWAY})
_SECONDS = 120.0
_OTHER_LOCATION = "    location = / {"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FleetBehindNginx]:
    async with fleet_behind_nginx(tmp_path_factory.mktemp("fleet")) as running:
        yield running


def doctor(fleet: FleetBehindNginx, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command with the environment of the credentials service."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
    return subprocess.run(
        [sys.executable, "-m", "keyturn", "doctor", "--timeout", "60", *options],
        env=ours | fleet.variables,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def as_json(fleet: FleetBehindNginx) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(doctor(fleet, "--json").stdout)
    return report


async def test_a_healthy_fleet_is_one_line_for_each_area(fleet: FleetBehindNginx, tmp_path: Path) -> None:
    async with fleet.nginx(tmp_path / "nginx"):
        ended = doctor(fleet)
        assert (ended.returncode, ended.stderr) == (0, "")
        lines = [line.split() for line in ended.stdout.splitlines() if not line.startswith(" ")]
        assert [words[0] for words in lines] == list(Area)
        assert all(words[1] == "ok" for words in lines if words[0] not in ("database", "redis"))
        assert "2 nodes" in ended.stdout
        found = [each for area in as_json(fleet)["areas"] for each in area["findings"]]
        assert [each["code"] for each in found if not each["code"].endswith("_slow")] == []


async def test_a_gateway_that_does_not_run(fleet: FleetBehindNginx) -> None:
    assert await diagnosed(fleet.settings, _GATEWAY) == (["gateway_unreachable"], 1)


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        (
            "location /admin/ {\n        proxy_pass http://credentials;",
            "location /admin/ {\n        proxy_pass http://verifiers;",
            ["gateway_admin_route"],
        ),
        ("|realms/[^/]+/rotation(/(delivered|key))?$", "", ["gateway_rotation_route"]),
        (
            _OTHER_LOCATION,
            "    location ~ /acme/.*/token$ {\n        return 403;\n    }\n" + _OTHER_LOCATION,
            ["gateway_token_route"],
        ),
        (
            _OTHER_LOCATION,
            "    location ~ /acme/.*/certs$ {\n        return 200 '{\"keys\": []}';\n    }\n"
            + _OTHER_LOCATION,
            ["gateway_key_set_wrong"],
        ),
        (
            "location ~ ^/(realms|\\.well-known)/ {\n        proxy_pass http://verifiers;",
            "location ~ ^/(realms|\\.well-known)/ {\n        proxy_pass http://credentials;",
            ["gateway_token_route"],
        ),
        ('proxy_set_header Client-Cert "";', "", ["gateway_passes_certificates"]),
        (
            "proxy_set_header X-Forwarded-For $remote_addr;",
            "proxy_set_header X-Forwarded-For $http_x_forwarded_for;",
            ["gateway_passes_addresses"],
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
async def test_a_gateway_with_a_fault(
    fleet: FleetBehindNginx, tmp_path: Path, old: str, new: str, codes: list[str]
) -> None:
    def change(text: str) -> str:
        assert text.count(old) == 1, "the ready file is written in another way"
        return text.replace(old, new)

    async with fleet.nginx(tmp_path / "nginx", change):
        assert await diagnosed(fleet.settings, _GATEWAY) == (codes, 1)


async def test_another_issuer_than_the_configured_one(fleet: FleetBehindNginx, tmp_path: Path) -> None:
    other = AnyHttpUrl(f"http://localhost:{fleet.front}")
    async with fleet.nginx(tmp_path / "nginx"):
        settings = fleet.settings.model_copy(update={"public_url": other})
        assert await diagnosed(settings, _GATEWAY) == (["gateway_issuer_wrong"], 1)


async def test_a_credentials_service_that_is_not_ready(fleet: FleetBehindNginx, tmp_path: Path) -> None:
    database = sqlite3.connect(fleet.settings.database_url.partition("///")[2], isolation_level=None)
    async with fleet.nginx(tmp_path / "nginx"):
        database.execute("PRAGMA busy_timeout = 30000")
        database.execute("BEGIN IMMEDIATE")
        try:
            await wait_until(lambda: _ready_status(fleet, 503), timeout=_SECONDS)
            assert await diagnosed(fleet.settings, _GATEWAY) == (["credentials_not_ready"], 1)
        finally:
            database.execute("ROLLBACK")
            database.close()
        await wait_until(lambda: _ready_status(fleet, 200), timeout=_SECONDS)


async def _ready_status(fleet: FleetBehindNginx, status: int) -> bool:
    """Return whether the credentials service says so: it looks once a second at most."""
    async with httpx.AsyncClient(trust_env=False, timeout=_SECONDS) as http:
        answer = await http.get(f"http://127.0.0.1:{fleet.credentials}/health/ready")
    return answer.status_code == status


@pytest.mark.parametrize(
    ("trusted", "codes"),
    [
        (False, ["gateway_certificate_invalid"]),
        # The nodes of this fleet name the issuer without TLS.
        (True, ["gateway_certificate_ending", "gateway_issuer_wrong"]),
    ],
)
async def test_the_certificate_of_the_gateway(
    fleet: FleetBehindNginx,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
    codes: list[str],
) -> None:
    """It is valid for a day."""
    tls, port = ServerTls.make(tmp_path), find_free_port()
    listening = (
        f"listen 127.0.0.1:{port} ssl;\n    ssl_certificate {tls.certificate};\n"
        f"    ssl_certificate_key {tls.key};"
    )
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))

    def change(text: str) -> str:
        return text.replace(f"listen 127.0.0.1:{fleet.front};", listening)

    url = f"https://127.0.0.1:{port}"
    settings = fleet.settings.model_copy(update={"public_url": AnyHttpUrl(url)})
    async with fleet.nginx(tmp_path / "nginx", change, url=url):
        assert await diagnosed(settings, _GATEWAY) == (codes, 1)
