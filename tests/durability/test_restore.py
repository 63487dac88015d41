"""After the database was restored from an older backup, nodes that kept running drop what it lacks."""

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.durability.writers import Admin
from tests.testkit.credentials_instances import READY_SECONDS, Surroundings
from tests.testkit.single_request import NoAnswerError, send, until_ready
from tests.testkit.waiting import wait_until


def back_up(surroundings: Surroundings) -> bytes:
    """Back up while the service runs, as docs/operations.md describes."""
    if surroundings.postgres is not None:
        return surroundings.postgres.dump(surroundings.database_name)
    copy = surroundings.directory / "backup.db"
    with (
        closing(sqlite3.connect(surroundings.directory / "keyturn.db")) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy.read_bytes()


def restore(surroundings: Surroundings, backup: bytes) -> None:
    """Restore while the service is stopped."""
    if surroundings.postgres is not None:
        surroundings.postgres.restore(surroundings.database_name, backup)
        return
    for suffix in ("", "-wal", "-shm"):
        (surroundings.directory / f"keyturn.db{suffix}").unlink(missing_ok=True)
    (surroundings.directory / "keyturn.db").write_bytes(backup)


REALM = "acme"


async def status_of(node: str, client_id: str, secret: str) -> int:
    """Return the status; 0: no answer."""
    credentials = base64.b64encode(f"{quote(client_id)}:{quote(secret)}".encode()).decode()
    form = "application/x-www-form-urlencoded"
    try:
        answer = await send(
            "POST",
            f"{node}/realms/{REALM}/protocol/openid-connect/token",
            headers={"Authorization": f"Basic {credentials}", "Content-Type": form},
            body=b"grant_type=client_credentials",
        )
    except NoAnswerError:
        return 0
    return answer.status


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_nodes_follow_a_database_restored_from_an_older_backup(tmp_path: Path, database: str) -> None:
    with closing(Surroundings(tmp_path, database, 1)) as surroundings:
        await surroundings.start()
        node = await surroundings.start_node()
        admin = Admin(surroundings, REALM)
        await admin.log_in()
        (instance,) = surroundings.instances
        await admin.make_realm(instance)

        async def make(client_id: str) -> tuple[str, str]:
            created = await admin.call(instance, "POST", "", {"clientId": client_id})
            path = f"/{created.headers['location'].rpartition('/')[2]}/client-secret"
            return path, json.loads((await admin.call(instance, "GET", path)).body)["value"]

        path, first = await make("kept")
        backup = back_up(surroundings)
        second = json.loads((await admin.call(instance, "POST", path)).body)["value"]
        _, later = await make("made-later")

        async def before() -> bool:
            seen = [
                await status_of(node, *each)
                for each in (("kept", first), ("kept", second), ("made-later", later))
            ]
            return seen == [401, 200, 200]

        await wait_until(before, timeout=120.0, interval=0.1)
        assert instance.stop() == 0
        restore(surroundings, backup)
        instance.start()
        await until_ready(instance.url, seconds=READY_SECONDS)

        async def after() -> bool:
            seen = [
                await status_of(node, *each)
                for each in (("kept", first), ("kept", second), ("made-later", later))
            ]
            return seen == [200, 401, 401]

        await wait_until(after, timeout=120.0, interval=0.1)
        metrics = (await send("GET", f"{instance.url}/metrics")).body.decode()
        counted = [line for line in metrics.splitlines() if line.startswith("keyturn_relay_epochs_total")]
        epochs = [line for line in counted if not line.endswith(" 0.0")]
        assert len(epochs) == 1, epochs
        _, again = await make("made-later")
        assert again != later

        async def known_again() -> bool:
            return await status_of(node, "made-later", again) == 200

        await wait_until(known_again, timeout=120.0, interval=0.1)
