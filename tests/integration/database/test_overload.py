"""More requests than the service can answer are refused at once, and it is well afterwards."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from keyturn_credentials.web.admitted import RETRY_SECONDS
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.waiting import wait_until

PLACES = 4
SENT = 60


async def test_changes_that_wait_for_the_database_are_bounded(tmp_path: Path, redis_url: str) -> None:
    file = tmp_path / "keyturn.db"
    settings = settings_for(f"sqlite+aiosqlite:///{file}", redis_url, request_limit=PLACES)
    async with running(settings) as api:
        await api.call("GET", "")
        with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            changes = [asyncio.create_task(_create(api, number)) for number in range(SENT)]
            await wait_until(lambda: any(task.done() for task in changes))
            # Whoever asks whether the service is well gets an answer, however many wait.
            assert (await api.http.get("/health/live")).status_code == 200
            assert "keyturn_requests_at_work" in (await api.http.get("/metrics")).text
            other.execute("ROLLBACK")
        answers = Counter(await asyncio.gather(*changes))
        assert answers.keys() == {"created", "overloaded"}
        # Those at work were answered; at least those for whom the queue had no room were not.
        assert answers["created"] >= PLACES
        assert answers["overloaded"] >= SENT - 9 * PLACES
        shed = float(answers["overloaded"])
        metrics = (await api.http.get("/metrics")).text
        assert f'keyturn_requests_shed_total{{lane="administrators"}} {shed}\n' in metrics
        assert 'keyturn_requests_at_work{lane="administrators"} 0.0\n' in metrics
        assert await _create(api, SENT) == "created"


async def _create(api: AdminApi, number: int) -> str:
    """Create a client. Return ``created``, or the code of the refusal."""
    answer = await api.call("POST", "/master/clients", json={"clientId": f"client-{number}"})
    if answer.status_code == 201:
        return "created"
    assert (answer.status_code, answer.headers["retry-after"]) == (503, str(RETRY_SECONDS))
    return str(answer.json()["code"])
