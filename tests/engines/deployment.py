"""The services as separate processes behind nginx with its ready-made file."""

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from keyturn.stack.nginx import find_nginx
from keyturn_shared.sealing import KeyRing
from tests.testkit.admin_client import ADMIN_ID, ADMIN_SECRET
from tests.testkit.nginx import ready_file, serve_nginx
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.waiting import until_ready

_START_SECONDS: Final = 120.0
_TASK: Final = "keyturn_task_running{"


@dataclass
class Deployment:
    """One credentials service and some nodes, on the engines that the URLs name. ``base_url``: of nginx."""

    processes: Processes
    directory: Path
    redis_url: str
    database_url: str
    node_count: int
    services: dict[str, tuple[RunningProcess, str]] = field(default_factory=dict)
    base_url: str = ""

    async def start(self) -> None:
        front, credentials = find_free_port(), find_free_port()
        self.base_url = f"http://127.0.0.1:{front}"
        common = {
            "KEYTURN_REDIS_URL": self.redis_url,
            "KEYTURN_FLEET_KEYS": KeyRing.generate_key(),
            "KEYTURN_PUBLIC_URL": self.base_url,
            "KEYTURN_LOG_LEVEL": "info",
        }
        of_credentials = {
            "KEYTURN_ENCRYPTION_KEYS": KeyRing.generate_key(),
            "KEYTURN_DATABASE_URL": self.database_url,
            "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": ADMIN_ID,
            "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": ADMIN_SECRET,
        }
        self._start_service("credentials", "credentials", credentials, common | of_credentials)
        # Ended credentials are presented all the time, and each must be read.
        of_nodes = {"KEYTURN_FAILURE_LIMIT_CLIENT": "0", "KEYTURN_FAILURE_LIMIT_ADDRESS": "0"}
        of_nodes["KEYTURN_CREDENTIALS_URL"] = f"http://127.0.0.1:{credentials}"
        nodes = [find_free_port() for _ in range(self.node_count)]
        for number, port in enumerate(nodes, 1):
            self._start_service(f"node-{number}", "verifier", port, common | of_nodes)
        await asyncio.gather(*(until_ready(url, seconds=_START_SECONDS) for _, url in self.services.values()))
        folder = self.directory / "nginx"
        folder.mkdir()
        text = ready_file(front, credentials, nodes)
        await serve_nginx(find_nginx(), self.processes, folder, text, self.base_url)

    async def tasks(self) -> dict[str, dict[str, bool]]:
        """Return each process's supervised tasks, and whether each runs; none of a process that does not
        answer."""
        found = {}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            for name, (_, url) in self.services.items():
                try:
                    lines = (await http.get(f"{url}/metrics")).text.splitlines()
                except httpx.TransportError:
                    lines = []
                of_tasks = (line.split('"') for line in lines if line.startswith(_TASK))
                found[name] = {parts[1]: float(parts[2].strip("} ")) == 1.0 for parts in of_tasks}
        return found

    def _start_service(self, name: str, kind: str, port: int, environment: dict[str, str]) -> None:
        own = {"KEYTURN_HOST": "127.0.0.1", "KEYTURN_PORT": str(port)}
        if kind == "verifier":
            own |= {"KEYTURN_NODE_ID": name}
        process = self.processes.start(
            [sys.executable, "-m", "keyturn", kind], environment=environment | own, cwd=self.directory
        )
        self.services[name] = (process, f"http://127.0.0.1:{port}")
