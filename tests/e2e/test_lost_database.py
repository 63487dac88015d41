"""The runbooks for a lost database, and for a move to another one, command by command."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from keyturn_credentials.settings import CredentialsSettings
from tests.e2e.runbook import blocks, run
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET
from tests.testkit.credentials_instances import READY_SECONDS, Instance, Surroundings
from tests.testkit.credentials_process import environment
from tests.testkit.local_stack import Admin, RunningStack, ask_token
from tests.testkit.single_request import Answer, NoAnswerError, send, until_ready
from tests.testkit.waiting import wait_until

BACKUP, LOST, MOVING = "## Backup", "### When the database is lost", "### To another database"
REALM = "acme"
SECONDS = 120.0


def do(script: str, directory: Path, **settings: str) -> str:
    done = run(script, directory, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def remove_database(directory: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        (directory / f"keyturn.db{suffix}").unlink(missing_ok=True)


def test_a_local_stack_is_restored(make_stack: Callable[..., RunningStack], tmp_path: Path) -> None:
    stack = make_stack(nodes=1).start()
    (tmp_path / ".keyturn").symlink_to(stack.data)
    admin = Admin(stack, REALM)
    admin.make_realm()
    kept = admin.make_client("kept")
    former = admin.secret(kept)
    do("keyturn backup --data-dir .keyturn keyturn.backup", tmp_path)
    admin.call("POST", f"/clients/{kept}/client-secret")
    renewed = admin.secret(kept)
    later = admin.secret(admin.make_client("later"))
    refused = run("keyturn restore --replace --force --data-dir .keyturn keyturn.backup", tmp_path)
    assert refused.returncode == 2
    assert "the database is in use" in refused.stderr
    assert ask_token(stack.base_url, REALM, "later", later).status_code == 200
    assert stack.stop() == 0
    remove_database(stack.data)
    assert "Restored 2 realms and 2 clients" in do(blocks(LOST)[2], tmp_path)
    stack.start()
    answers = [
        ask_token(stack.base_url, REALM, client_id, secret).status_code
        for client_id, secret in (("kept", former), ("kept", renewed), ("later", later))
    ]
    assert answers == [200, 401, 401]
    admin = Admin(stack, "master")
    (restored,) = admin.http.get("/admin/realms/master/audit?action=database_restored").json()
    assert restored["actor"]["client_id"] == "keyturn"
    examined = run("keyturn doctor --strict --data-dir .keyturn", tmp_path)
    assert examined.returncode == 0, examined.stdout
    assert stack.stop() == 0
    refused = run(blocks(LOST)[2], tmp_path)
    assert refused.returncode == 2
    assert "the database is not empty: 2 realms and 2 clients; the newest change is" in refused.stderr
    assert "--replace" in refused.stderr


class Deployment:
    """A credentials process, and a node that keeps running, on a database of either kind."""

    def __init__(self, around: Surroundings, node: str) -> None:
        self.around, self.node = around, node
        self._authorization = ""

    @property
    def instance(self) -> Instance:
        return self.around.instances[0]

    def settings(self, settings: CredentialsSettings | None = None) -> dict[str, str]:
        variables = environment(settings or self.around.settings, self.instance.port)
        return {name: value for name, value in variables.items() if name.startswith("KEYTURN_")}

    async def start(self) -> None:
        self.instance.start()
        await until_ready(self.instance.url, seconds=READY_SECONDS)

    async def log_in(self) -> None:
        address = f"{self.instance.url}/realms/master/protocol/openid-connect/token"
        answer = await _grant(address, ADMIN_ID, ADMIN_SECRET)
        self._authorization = f"Bearer {json.loads(answer.body)['access_token']}"

    async def call(self, method: str, path: str, body: object = None) -> Answer:
        answer = await send(
            method,
            f"{self.instance.url}/admin/realms{path}",
            headers={
                "Authorization": self._authorization,
                "Content-Type": "application/json",
                "Prefer": "wait=20",
            },
            body=b"" if body is None else json.dumps(body).encode(),
        )
        assert answer.status < 300, answer
        return answer

    async def make(self, client_id: str) -> tuple[str, str]:
        """Create a client; return the path of its secret, and the secret."""
        made = await self.call(
            "POST", f"/{REALM}/clients", {"clientId": client_id, "serviceAccountsEnabled": True}
        )
        path = f"/{REALM}/clients/{made.headers['location'].rpartition('/')[2]}/client-secret"
        return path, json.loads((await self.call("GET", path)).body)["value"]

    async def until_node_answers(self, *wanted: tuple[str, str, int]) -> None:
        """Wait until the node answers each client and secret with this status."""

        async def is_so() -> bool:
            try:
                address = f"{self.node}/realms/{REALM}/protocol/openid-connect/token"
                return all([(await _grant(address, *each[:2])).status == each[2] for each in wanted])
            except NoAnswerError:
                return False

        await wait_until(is_so, timeout=SECONDS, interval=0.1)


async def _grant(address: str, client_id: str, secret: str) -> Answer:
    credentials = base64.b64encode(f"{quote(client_id)}:{quote(secret)}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"}
    return await send("POST", address, headers=headers, body=b"grant_type=client_credentials")


@pytest.fixture(params=["sqlite", "postgresql"])
def around(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Surroundings]:
    with closing(Surroundings(tmp_path, request.param, 1)) as surroundings:
        yield surroundings


async def deployed(around: Surroundings) -> Deployment:
    await around.start()
    deployment = Deployment(around, await around.start_node())
    await deployment.log_in()
    await deployment.call("POST", "", {"realm": REALM})
    return deployment


@pytest.mark.timeout(600)
async def test_nodes_that_keep_running_drop_what_the_backup_does_not_contain(
    around: Surroundings, tmp_path: Path
) -> None:
    deployment = await deployed(around)
    path, former = await deployment.make("kept")
    said = do(blocks(BACKUP)[0], tmp_path, **deployment.settings())
    assert "2 realms and 2 clients, up to change" in said
    renewed = json.loads((await deployment.call("POST", path)).body)["value"]
    _, later = await deployment.make("later")
    await deployment.until_node_answers(("kept", former, 401), ("kept", renewed, 200), ("later", later, 200))
    assert deployment.instance.stop() == 0
    lose(around)
    said = do(blocks(LOST)[0], tmp_path, **deployment.settings())
    assert "Restored 2 realms and 2 clients" in said
    await deployment.start()
    await deployment.until_node_answers(("kept", former, 200), ("kept", renewed, 401), ("later", later, 401))
    only = " --only settings --only fleet"  # PostgreSQL for tests is set up to be fast, not safe
    do(blocks(LOST)[1].rstrip() + only, tmp_path, **deployment.settings())
    await deployment.log_in()
    _, again = await deployment.make("later")
    await deployment.until_node_answers(("later", later, 401), ("later", again, 200))


def lose(around: Surroundings) -> None:
    """Delete the database; of PostgreSQL's, an empty one remains."""
    if around.postgres is None:
        remove_database(around.directory)
    else:
        around.postgres.drop_database(around.database_name)
        around.postgres.execute(f"CREATE DATABASE {around.database_name} TEMPLATE template0")


@pytest.mark.timeout(600)
async def test_the_service_moves_to_another_kind_of_database(
    around: Surroundings, tmp_path: Path, postgres_url: str
) -> None:
    deployment = await deployed(around)
    _, secret = await deployment.make("kept")
    await deployment.until_node_answers(("kept", secret, 200))
    assert deployment.instance.stop() == 0
    url = postgres_url if around.postgres is None else f"sqlite+aiosqlite:///{tmp_path}/moved.db"
    moved = around.settings.model_copy(update={"database_url": url})
    former, new = blocks(MOVING)
    do(former, tmp_path, **deployment.settings())
    do(new, tmp_path, **deployment.settings(moved))
    deployment.instance.settings = moved
    await deployment.start()
    await deployment.log_in()
    _, later = await deployment.make("later")
    await deployment.until_node_answers(("kept", secret, 200), ("later", later, 200))
