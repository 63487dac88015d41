"""The agent beside programs in other languages, through two rotations by policy, killed in each."""

import re
import stat
import sys
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.testkit.go_program import run_go
from tests.testkit.local_stack import Admin, RunningStack, eventually
from tests.testkit.nodejs import node_directory
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.tools import REPOSITORY, run

PAGE: Final = (REPOSITORY / "docs" / "agent.md").read_text()
POLICY: Final = {
    "keyturn.secret.expiration-period": "60",
    "keyturn.secret.rotated-expiration-period": "2",
    "keyturn.secret.remaining-rotation-period": "54",
}
"""A secret is six seconds old when its rotation begins."""
MAIN: Final = {
    "js": "console.log(await token());\n",
    "go": (
        "\nfunc main() {\n\ttext, err := token()\n\tif err != nil {\n\t\tpanic(err)\n\t}\n"
        "\tfmt.Println(text)\n}\n"
    ),
}


def example(language: str) -> str:
    """Return the program of the page, which prints a token."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found) + MAIN[language]


class Scene:
    """A client whose agent alone looks after its secret."""

    def __init__(self, stack: RunningStack, admin: Admin, processes: Processes, directory: Path) -> None:
        self._stack = stack
        self._admin = admin
        self._processes = processes
        self.uuid = admin.make_client("with-agent", attributes=POLICY)
        self.first = admin.secret(self.uuid)
        (directory / "secret").write_text(self.first)
        self.socket = directory / "agent.sock"
        self.token_file, self.secret_file = directory / "token", directory / "current"
        self.config = directory / "agent.toml"
        self.config.write_text(
            f'issuer = "{stack.base_url}/realms/{admin.realm}"\nclient_id = "with-agent"\n'
            f'secret_file = "{directory / "secret"}"\nstate = "{directory / "state.json"}"\n'
            f'socket = "{self.socket}"\n'
            f'[[files]]\npath = "{self.token_file}"\nholds = "token"\n'
            f'[[files]]\npath = "{self.secret_file}"\nholds = "secret"\n'
        )

    def start(self) -> RunningProcess:
        """Start the agent, and wait until it can have a token."""
        agent = self._processes.start([sys.executable, "-m", "keyturn", "agent", str(self.config)])

        def is_healthy() -> bool:
            assert agent.alive, agent.output()
            with self.client() as http:
                return http.get("http://agent/health").status_code == 200

        eventually(is_healthy)
        return agent

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket)), timeout=30)

    def wait_for(self, state: str, number: int) -> None:
        """Wait until the client has so many rotations, and the newest one is in that state."""

        def is_there() -> bool:
            found = self._admin.call("GET", f"/clients/{self.uuid}/rotations").json()
            return len(found) == number and found[0]["state"] == state

        eventually(is_there, seconds=120)

    def is_accepted(self, token: str) -> bool:
        url = f"{self._stack.base_url}/realms/{self._admin.realm}/forward-auth"
        return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, trust_env=False).is_success


class Programs:
    """The programs of the page, each run to its end."""

    def __init__(self, directory: Path) -> None:
        self._script = directory / "program.mjs"
        self._script.write_text(example("js"))
        self._module = directory / "agent" / "go"
        self._module.mkdir(parents=True)
        (self._module / "main.go").write_text(example("go"))
        (self._module / "go.mod").write_text("module keyturn.test/agent\n\ngo 1.26\n")
        (self._module / "go.sum").touch()

    def tokens(self) -> list[str]:
        """Return a token that each has got."""
        ended = [run([node_directory() / "bin" / "node", self._script]), run_go(self._module)]
        assert [each.returncode for each in ended] == [0, 0], ended
        return [each.stdout.strip() for each in ended]


@pytest.mark.timeout(600)
def test_programs_have_tokens_through_two_rotations_and_a_killed_agent(
    stack: RunningStack,
    admin: Admin,
    processes: Processes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene, programs = Scene(stack, admin, processes, tmp_path), Programs(tmp_path)
    monkeypatch.setenv("AGENT_SOCKET", str(scene.socket))
    agent, known = scene.start(), [scene.first]

    def all_are_accepted() -> bool:
        return all(map(scene.is_accepted, [*programs.tokens(), scene.token_file.read_text()]))

    assert all_are_accepted()
    for number in (1, 2):
        scene.wait_for("prepared", number)
        assert all_are_accepted()
        agent.kill()
        agent = scene.start()  # and it looks at once
        scene.wait_for("done", number)
        assert all_are_accepted()
        known.append(scene.secret_file.read_text())
    assert len(set(known)) == 3
    for private in (scene.socket, scene.token_file, scene.secret_file, tmp_path / "state.json"):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600, private
    assert agent.stop() == 0
    assert not scene.socket.exists()
    assert not any(secret in agent.output() for secret in known)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("client_id", "client"), "unknown field `client`"),
        (("secret_file", "# secret_file"), "set secret_file, or KEYTURN_AGENT_SECRET"),
        (("/secret", "/none"), "cannot be read"),
    ],
)
def test_an_agent_that_cannot_start_says_why_in_one_line(
    stack: RunningStack, tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    config = tmp_path / "agent.toml"
    text = (
        f'issuer = "{stack.base_url}/realms/acme"\nclient_id = "orders"\nstate = "{tmp_path}/state"\n'
        f'secret_file = "{tmp_path}/secret"\nsocket = "{tmp_path}/agent.sock"\n'
    )
    config.write_text(text.replace(*change))
    ended = run([sys.executable, "-m", "keyturn", "agent", config])
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert told in ended.stderr
