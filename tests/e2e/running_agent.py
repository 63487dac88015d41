"""``keyturn agent`` as a process beside a test."""

import sys
from pathlib import Path

import httpx

from tests.testkit.local_stack import Admin, RunningStack, eventually
from tests.testkit.processes import Processes, RunningProcess


class Agent:
    """An agent with a file of settings, which may be started repeatedly. ``socket``: where it listens."""

    def __init__(self, processes: Processes, directory: Path, settings: str) -> None:
        self._processes = processes
        self.socket, self.state = directory / "agent.sock", directory / "state.json"
        self.config = directory / "agent.toml"
        self.config.write_text(f'state = "{self.state}"\nsocket = "{self.socket}"\n{settings}')

    def start(self) -> RunningProcess:
        """Start it, and wait until it can have a token."""
        agent = self._processes.start([sys.executable, "-m", "keyturn", "agent", str(self.config)])

        def is_healthy() -> bool:
            assert agent.alive, agent.output()
            return self.get("/health").status_code == 200

        eventually(is_healthy)
        return agent

    def get(self, path: str) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket)), timeout=30) as http:
            return http.get(f"http://agent{path}")


def is_accepted(stack: RunningStack, admin: Admin, token: str) -> bool:
    """Return whether the fleet accepts an access token."""
    url = f"{stack.base_url}/realms/{admin.realm}/forward-auth"
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, trust_env=False).is_success
