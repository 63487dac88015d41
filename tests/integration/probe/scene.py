"""A credentials service with nodes, and probers beside it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET
from tests.testkit.credentials_instances import Instance, Surroundings
from tests.testkit.program import Ended, Program

REALM = "canaries"
PROBER = "prober"
"""The administrator of the prober: a client of the canaries' own realm."""


@dataclass(frozen=True, slots=True)
class Scene:
    """``node``: one that runs all the time. ``directory``: with the prober's secret."""

    surroundings: Surroundings
    node: Instance
    directory: Path
    program: Program

    @property
    def url(self) -> str:
        return self.surroundings.instances[0].url

    def options(self, *nodes: str, realm: str = REALM) -> list[str]:
        """Return the options of a prober with the least rights."""
        words = ["probe", "--realm", realm, "--server", self.url, "--client-id", PROBER]
        words += ["--secret-file", str(self.directory / "secret")]
        return words + [word for node in nodes for word in ("--node", node)]

    def once(self, *nodes: str, more: tuple[str, ...] = ()) -> tuple[Ended, dict[str, Any]]:
        """Run one round; return how the command ended, and the round."""
        ended = self.program.run_program(*self.options(*nodes), "--once", "--json", *more)
        (line,) = ended.out.splitlines()
        self.require_secrecy(ended.out + ended.err)
        return ended, json.loads(line)

    def require_secrecy(self, text: str) -> None:
        """Check that neither secret of the prober is in a text."""
        assert (self.directory / "secret").read_text() not in text
        with self.admin() as http:
            for client in http.get(f"/admin/realms/{REALM}/clients").json():
                secret = http.get(f"/admin/realms/{REALM}/clients/{client['id']}/client-secret").json()
                assert secret["value"] not in text
        assert "eyJ" not in text, "a token"

    @contextmanager
    def admin(self) -> Iterator[httpx.Client]:
        """Make calls as the first administrator, which wait for the fleet."""
        with httpx.Client(base_url=self.url, trust_env=False, timeout=60) as http:
            answer = http.post(
                "/realms/master/protocol/openid-connect/token",
                data={"grant_type": "client_credentials"},
                auth=(ADMIN_ID, ADMIN_SECRET),
            )
            http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            http.headers["Prefer"] = "wait=30"
            yield http

    def create(self, **client: Any) -> str:
        """Create a client in the canaries' realm; return its uuid."""
        with self.admin() as http:
            answer = http.post(f"/admin/realms/{REALM}/clients", json=client)
            assert answer.status_code == 201, answer.text
            return answer.headers["location"].rpartition("/")[2]


async def start_scene(surroundings: Surroundings, directory: Path) -> Scene:
    """Start the services, and create the realm with the prober's administrator. Its tokens are valid for 16
    seconds, of which the last 15 are not used: a prober renews them all the time."""
    await surroundings.start()
    scene = Scene(surroundings, await surroundings.make_node("node"), directory, Program(directory))
    with scene.admin() as http:
        http.post("/admin/realms", json={"realm": REALM}).raise_for_status()
    attributes = {"keyturn.admin.roles": "manage-clients", "access.token.lifespan": "16"}
    uuid = scene.create(clientId=PROBER, serviceAccountsEnabled=True, attributes=attributes)
    with scene.admin() as http:
        secret = http.get(f"/admin/realms/{REALM}/clients/{uuid}/client-secret").json()["value"]
    (directory / "secret").write_text(secret)
    return scene
