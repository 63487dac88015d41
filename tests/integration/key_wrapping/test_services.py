"""Both services start with wrapped keys, keep none where others could read it, and outlive their device."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.integration.key_wrapping.conftest import SECONDS, Operator
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET
from tests.testkit.credentials_instances import READY_SECONDS, Instance, Surroundings
from tests.testkit.credentials_process import environment
from tests.testkit.single_request import Answer, NoAnswerError, send, until_ready
from tests.testkit.softhsm import PIN
from tests.testkit.waiting import wait_until

REALM = "acme"
ENCRYPTION, FLEET = "KEYTURN_ENCRYPTION_KEYS", "KEYTURN_FLEET_KEYS"


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    with closing(Surroundings(tmp_path, "sqlite", 1)) as surroundings:
        yield surroundings


async def grant(url: str, realm: str, client_id: str, secret: str) -> Answer:
    pair = base64.b64encode(f"{quote(client_id)}:{quote(secret)}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
    address = f"{url}/realms/{realm}/protocol/openid-connect/token"
    return await send("POST", address, headers=headers, body=b"grant_type=client_credentials")


class Admin:
    """An administrator of the credentials service, who signs in anew for each call."""

    def __init__(self, instance: Instance) -> None:
        self.url = instance.url

    async def call(self, method: str, path: str, body: object = None) -> Answer:
        granted = await grant(self.url, "master", ADMIN_ID, ADMIN_SECRET)
        token = json.loads(granted.body)["access_token"]
        answer = await send(
            method,
            f"{self.url}/admin/realms{path}",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=b"" if body is None else json.dumps(body).encode(),
        )
        assert answer.status < 300, answer
        return answer

    async def secret(self, method: str, path: str) -> str:
        return str(json.loads((await self.call(method, path)).body)["value"])


def processes_of(instance: Instance) -> list[int]:
    """Return the ids of its process and of the children of that."""
    assert instance.process is not None
    pid = instance.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def assert_keeps_to_itself(instance: Instance, *keys: str) -> None:
    """Check that no key and no PIN is in the environment of a process, or in the log."""
    texts = [Path(f"/proc/{pid}/environ").read_text() for pid in processes_of(instance)]
    texts.append(instance.log.read_text())
    assert all(text for text in texts)
    for hidden in (*keys, PIN):
        assert not [text for text in texts if hidden in text]


@pytest.mark.timeout(900)
async def test_a_deployment_changes_to_wrapped_keys_and_outlives_its_device(
    around: Surroundings, operator: Operator
) -> None:
    await around.start()
    (instance,) = around.instances
    admin = Admin(instance)
    await admin.call("POST", "", {"realm": REALM})
    made = await admin.call(
        "POST", f"/{REALM}/clients", {"clientId": "orders", "serviceAccountsEnabled": True}
    )
    path = f"/{REALM}/clients/{made.headers['location'].rpartition('/')[2]}/client-secret"
    secret = await admin.secret("GET", path)
    assert instance.stop() == 0

    # A new wrapped key before the plain one: both kinds in one ring.
    encryption = around.settings.encryption_keys.get_secret_value()
    fleet = around.settings.fleet_keys.get_secret_value()
    operator.printed("key-wrapping", "new-kek", "kek")
    new = operator.printed("key-wrapping", "new", "encryption", "--kek", "kek")
    wrapped_fleet = operator.printed("key-wrapping", "wrap", "fleet", "--kek", "kek", **{FLEET: fleet})
    device = operator.settings
    common = environment(around.settings, instance.port) | device | {FLEET: wrapped_fleet}
    instance.variables = common | {ENCRYPTION: f"{new},{encryption}"}
    instance.start()
    await until_ready(instance.url, seconds=READY_SECONDS)
    assert await admin.secret("GET", path) == secret
    assert instance.stop() == 0

    # All keys wrapped, in files, as secrets are given; and a node with workers.
    mixed = f"{new},{encryption}"
    wrapped = operator.printed("key-wrapping", "wrap", "encryption", "--kek", "kek", **{ENCRYPTION: mixed})
    (operator.directory / "encryption_keys").write_text(wrapped)
    del common[ENCRYPTION]
    instance.variables = common | {f"{ENCRYPTION}_FILE": str(operator.directory / "encryption_keys")}
    instance.start()
    await until_ready(instance.url, seconds=READY_SECONDS)
    node = await around.make_node("node", KEYTURN_WORKERS="2", **device | {FLEET: wrapped_fleet})
    assert await admin.secret("GET", path) == secret
    assert len(processes_of(node)) >= 3
    for each in (instance, node):
        assert_keeps_to_itself(each, encryption, fleet)

    async def accepted(value: str) -> bool:
        try:
            return (await grant(node.url, REALM, "orders", value)).status == 200
        except NoAnswerError:
            return False

    await wait_until(lambda: accepted(secret), timeout=SECONDS)

    # Nothing of a running process needs the device; a start does.
    with operator.hsm.without_tokens():
        renewed = await admin.secret("POST", path)
        await wait_until(lambda: accepted(renewed), timeout=SECONDS)
        assert instance.stop() == 0
        before = len(instance.log.read_text())
        instance.start()
        assert instance.process is not None
        assert instance.process.wait(SECONDS) == 2
        assert instance.log.read_text()[before:] == (
            f"keyturn: no wrapped key can be unwrapped: {operator.hsm.module} has no token 'keys'\n"
        )
        assert await accepted(renewed), "nodes go on"
    instance.start()
    await until_ready(instance.url, seconds=READY_SECONDS)
    assert await admin.secret("GET", path) == renewed
    assert node.stop() == 0
    assert instance.stop() == 0
