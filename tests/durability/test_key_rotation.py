"""The database's keys are rotated during writes by restarting the instances one by one."""

import asyncio
import json
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from keyturn_credentials.store.database import Database
from keyturn_shared.sealing import KeyRing
from tests.durability.judging import judge_log, read_log
from tests.durability.run import judge_states
from tests.durability.writers import Admin, Writer
from tests.testkit.credentials_instances import READY_SECONDS, Instance, Surroundings
from tests.testkit.single_request import send, until_ready
from tests.testkit.waiting import wait_until


async def restart_with(surroundings: Surroundings, keys: str) -> None:
    """Restart like an operator: one instance after the other, each stopped cleanly."""
    surroundings.settings = surroundings.settings.model_copy(update={"encryption_keys": SecretStr(keys)})
    for instance in surroundings.instances:
        assert await asyncio.to_thread(instance.stop) == 0  # its callers continue with others meanwhile
        instance.settings = surroundings.settings
        instance.start()
        await until_ready(instance.url, seconds=READY_SECONDS)


async def says_all_is_sealed_anew(instance: Instance) -> bool:
    metrics = (await send("GET", f"{instance.url}/metrics")).body
    return b"\nkeyturn_seals_current 1.0" in metrics


async def kept_seals(surroundings: Surroundings) -> str:
    database = Database(surroundings.settings.database_url)
    try:
        async with database.reading() as connection:
            secrets = (await connection.execute(text("SELECT CAST(secrets AS text) FROM clients"))).scalars()
            keys = await connection.execute(text("SELECT sealed_private_jwk FROM realm_keys"))
            return "\n".join([*secrets, *(key or "" for key in keys.scalars())])
    finally:
        await database.close()


@pytest.mark.timeout(600)
async def test_the_old_key_is_gone_and_every_secret_is_still_there(tmp_path: Path) -> None:
    with closing(Surroundings(tmp_path, "postgresql", 2)) as surroundings:
        await surroundings.start()
        admin = Admin(surroundings)
        await admin.log_in()
        first = surroundings.instances[0]
        created = await admin.call(first, "POST", "", {"clientId": "never-changed"})
        path = f"/{created.headers['location'].rpartition('/')[2]}/client-secret"
        secret = json.loads((await admin.call(first, "GET", path)).body)["value"]
        writers = [Writer(number, admin, surroundings.instances, seed=2) for number in range(2)]
        over = asyncio.Event()
        writing = [asyncio.create_task(writer.run(over, pause=0.5)) for writer in writers]
        old = surroundings.settings.encryption_keys.get_secret_value()
        old_id = surroundings.settings.encryption_ring().current_key_id
        assert f".{old_id}." in await kept_seals(surroundings)

        new = KeyRing.generate_key()
        await restart_with(surroundings, f"{old},{new}")
        await restart_with(surroundings, f"{new},{old}")
        for instance in surroundings.instances:

            async def sealed(instance: Instance = instance) -> bool:
                return await says_all_is_sealed_anew(instance)

            await wait_until(sealed, timeout=120.0, interval=0.2)
        await restart_with(surroundings, new)

        over.set()
        await asyncio.gather(*writing)
        wrong = judge_log(await read_log(surroundings.settings), writers)
        assert wrong + await judge_states(surroundings, admin, writers) == []
        assert sum(len(client.changes) for writer in writers for client in writer.written) > 0
        assert json.loads((await admin.call(first, "GET", path)).body)["value"] == secret
        assert f".{old_id}." not in await kept_seals(surroundings)
