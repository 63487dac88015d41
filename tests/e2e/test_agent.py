"""The agent beside programs in other languages, through two rotations, killed in each."""

import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.running_agent import Agent, is_accepted
from tests.testkit.go_program import run_go
from tests.testkit.local_stack import Admin, RunningStack, eventually
from tests.testkit.maven import run_java
from tests.testkit.nodejs import node_directory
from tests.testkit.processes import Processes
from tests.testkit.tools import REPOSITORY, run

PAGE: Final = (REPOSITORY / "docs" / "agent.md").read_text()
POLICY: Final = {
    "keyturn.secret.expiration-period": "600",
    "keyturn.secret.rotated-expiration-period": "2",
    "keyturn.secret.remaining-rotation-period": "60",
}
"""With it no rotation begins by itself while the test runs."""
MAIN: Final = {
    "js": "console.log(await token());\n",
    "java": (
        "\n    public static void main(String[] arguments) throws IOException {\n"
        "        System.out.println(token());\n    }\n}\n"
    ),
    "go": (
        "\nfunc main() {\n\ttext, err := token()\n\tif err != nil {\n\t\tpanic(err)\n\t}\n"
        "\tfmt.Println(text)\n}\n"
    ),
}


def example(language: str) -> str:
    """Return the program of the page, which prints a token."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    body = str(found).removesuffix("}\n") if language == "java" else str(found)
    return body + MAIN[language]


class Scene:
    """A client whose agent alone looks after its secret."""

    def __init__(self, stack: RunningStack, admin: Admin, processes: Processes, directory: Path) -> None:
        self._stack = stack
        self._admin = admin
        self.uuid = admin.make_client("with-agent", attributes=POLICY)
        self.first = admin.secret(self.uuid)
        (directory / "secret").write_text(self.first)
        self.token_file, self.secret_file = directory / "token", directory / "current"
        self.agent = Agent(
            processes,
            directory,
            f'issuer = "{stack.base_url}/realms/{admin.realm}"\nclient_id = "with-agent"\n'
            f'secret_file = "{directory / "secret"}"\n'
            f'[[files]]\npath = "{self.token_file}"\nholds = "token"\n'
            f'[[files]]\npath = "{self.secret_file}"\nholds = "secret"\n',
        )

    def rotate(self, number: int) -> None:
        """Begin one more rotation."""
        wanted = {"kind": "secret", "reason": "manual"}
        self._admin.call("POST", f"/clients/{self.uuid}/rotations", json=wanted)
        self.wait_for("prepared", number)

    def wait_for(self, state: str, number: int) -> None:
        """Wait until the client has so many rotations, and the newest one is in that state."""

        def is_there() -> bool:
            found = self._admin.call("GET", f"/clients/{self.uuid}/rotations").json()
            return len(found) == number and found[0]["state"] == state

        eventually(is_there)

    def is_accepted(self, token: str) -> bool:
        return is_accepted(self._stack, self._admin, token)


class Programs:
    """The programs of the page, each run to its end. They are built at once, since rotations do not wait."""

    def __init__(self, directory: Path) -> None:
        self._script = directory / "program.mjs"
        self._script.write_text(example("js"))
        self._module = directory / "agent" / "go"
        self._module.mkdir(parents=True)
        (self._module / "main.go").write_text(example("go"))
        (self._module / "go.mod").write_text("module keyturn.test/agent\n\ngo 1.26\n")
        (self._module / "go.sum").touch()
        self._class = directory / "java" / "Agent.java"
        self._class.parent.mkdir()
        self._class.write_text(example("java"))
        self._run()

    def _run(self) -> list[subprocess.CompletedProcess[str]]:
        node = run([node_directory() / "bin" / "node", self._script])
        return [node, run_go(self._module), run_java(self._class)]

    def tokens(self) -> list[str]:
        """Return a token that each has got."""
        ended = self._run()
        assert [each.returncode for each in ended] == [0, 0, 0], ended
        return [each.stdout.strip() for each in ended]


@pytest.mark.timeout(900)
def test_programs_have_tokens_through_two_rotations_and_a_killed_agent(
    stack: RunningStack,
    admin: Admin,
    processes: Processes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    programs = Programs(tmp_path)
    scene = Scene(stack, admin, processes, tmp_path)
    monkeypatch.setenv("AGENT_SOCKET", str(scene.agent.socket))
    agent, known = scene.agent.start(), [scene.first]

    def all_are_accepted() -> bool:
        return all(map(scene.is_accepted, [*programs.tokens(), scene.token_file.read_text()]))

    assert all_are_accepted()
    for number in (1, 2):
        agent.pause()  # so that it cannot be over before it is seen
        scene.rotate(number)
        if number == 2:
            agent.resume()
            assert all_are_accepted()
        agent.kill()
        agent = scene.agent.start()  # and it looks at once
        scene.wait_for("done", number)
        assert all_are_accepted()
        known.append(scene.secret_file.read_text())
    assert len(set(known)) == 3
    for private in (scene.agent.socket, scene.token_file, scene.secret_file, scene.agent.state):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600, private
    assert agent.stop() == 0
    assert not scene.agent.socket.exists()
    assert not any(secret in agent.output() for secret in known)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("client_id", "client"), "unknown field `client`"),
        (
            ("secret_file", "# secret_file"),
            "set secret_file, key_file, pkcs11_module, generate_key or keycloak_json",
        ),
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
