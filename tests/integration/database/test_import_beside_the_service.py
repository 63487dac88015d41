"""``keyturn import`` during a running service on SQLite: other callers wait, and none gets a 500."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

from tests.testkit.admin_api import running, settings_for
from tests.testkit.credentials_process import environment

_CLIENTS = 1500


async def test_changes_and_reads_beside_an_import_succeed_or_say_why_not(
    tmp_path: Path, redis_url: str
) -> None:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)
    export = {
        "realm": "moved",
        "clients": [
            {"clientId": f"moved-{number}", "secret": f"the-secret-of-number-{number}-is-long-enough"}
            for number in range(_CLIENTS)
        ],
    }
    file = tmp_path / "export.json"
    file.write_text(json.dumps(export))
    async with running(settings) as api:
        await api.create("", {"realm": "acme"})
        command = [sys.executable, "-m", "keyturn", "import", str(file)]
        importing = await asyncio.create_subprocess_exec(
            *command, env=environment(settings, 0), stdout=asyncio.subprocess.DEVNULL
        )
        seen: Counter[tuple[str, int]] = Counter()
        number = 0
        while importing.returncode is None:
            number += 1
            answer = await api.call("POST", "/acme/clients", json={"clientId": f"beside-{number}"})
            seen["POST", answer.status_code] += 1
            if answer.status_code == 503:
                assert "another process holds the write lock" in answer.json()["detail"]
            listed = await api.call("GET", "/acme/clients", params={"max": "5"})
            seen["GET", listed.status_code] += 1
            await asyncio.sleep(0.05)
        assert await importing.wait() == 0
        assert set(seen) <= {("POST", 201), ("POST", 503), ("GET", 200)}
        assert seen["GET", 200] > 1
        answer = await api.call("GET", "/moved/clients", params={"clientId": f"moved-{_CLIENTS - 1}"})
        assert [client["clientId"] for client in answer.json()] == [f"moved-{_CLIENTS - 1}"]
