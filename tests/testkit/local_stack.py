"""``keyturn up`` as a user runs it: a process, a terminal's worth of output, signals."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from keyturn.stack.parent import ending_with_parent
from tests.testkit.ending import end_process
from tests.testkit.ports import find_free_port

READY_SECONDS = 60.0
TOKEN_SECONDS = 120.0
STOP_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 0.5
"""Between two looks: a long wait takes no processor from what is waited for."""


def eventually(look: Callable[[], Any], *, seconds: float = 180.0) -> Any:
    """Return the first true result of ``look``; a failed request is repeated."""
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE_SECONDS
    while True:
        try:
            seen = look()
        except httpx.HTTPError as error:
            seen = None
            problem: object = error
        else:
            problem = seen
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {problem!r}"
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_PAUSE_SECONDS)


class RunningStack:
    """A local stack in its own data directory on a free port, ended at the end of its context. ``python``: of
    the environment in which keyturn is installed."""

    def __init__(
        self, data: Path, *options: str, nodes: int = 2, python: str = sys.executable, **settings: str
    ) -> None:
        self.data = data
        self.output = data.parent / f"{data.name}.out"
        self.port = find_free_port()
        self._options = ("--nodes", str(nodes), *options)
        self._python = python
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.local: dict[str, Any] = {}
        self.console_session: str | None = None

    def start(self) -> Self:
        """Start, and wait until it is ready. A stack that does not become ready is ended."""
        try:
            self._launch()
            eventually(self._is_ready, seconds=READY_SECONDS)
        except BaseException:
            self.end()
            raise
        return self

    def _launch(self) -> None:
        # The data directory keeps the port.
        at = [] if self._process is not None else ["--port", str(self.port)]
        command = [self._python, "-m", "keyturn", "up", *at]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--data-dir", str(self.data), *self._options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment | self._settings,
                preexec_fn=ending_with_parent(),
            )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def base_url(self) -> str:
        return str(self.local["base_url"])

    def issuer(self, realm: str) -> str:
        return f"{self.base_url}/realms/{realm}"

    @property
    def node_urls(self) -> list[str]:
        return [node["base_url"] for node in self.local["nodes"]]

    @property
    def credentials_url(self) -> str:
        """Address of the credentials process itself: the gateway does not show its metrics."""
        configured = (self.data / "gateway" / "nginx.conf").read_text()
        upstream = re.search(r"upstream credentials \{\s*server ([\d.:]+)", configured)
        assert upstream
        return f"http://{upstream[1]}"

    def read_local(self) -> dict[str, Any]:
        self.local = json.loads((self.data / "local.json").read_text())
        return self.local

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(STOP_SECONDS)

    def end(self) -> None:
        """End it in any state; its processes end with it."""
        if self._process is not None:
            end_process(self._process, STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def said(self) -> str:
        return self.output.read_text()

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.said()
        try:
            # A killed stack leaves its file behind; the next one replaces it.
            return self.local != self.read_local()
        except FileNotFoundError:
            return False


class Admin:
    """The admin API of a stack, as its first admin."""

    def __init__(self, stack: RunningStack, realm: str) -> None:
        self.realm = realm
        self._stack = stack
        self.http = httpx.Client(
            base_url=stack.base_url,
            timeout=30,
            trust_env=False,
            event_hooks={"request": [self._stay_logged_in]},
        )
        self.log_in()

    def log_in(self) -> None:
        admin = self._stack.local["admin"]
        answer = self.http.post(
            "/realms/master/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=(admin["client_id"], admin["client_secret"]),
        )
        answer.raise_for_status()
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self._logged_in_at = time.monotonic()

    def _stay_logged_in(self, request: httpx.Request) -> None:
        """Renew the token: it lives for five minutes, and tests on a busy machine may take longer."""
        if request.url.path.startswith("/admin") and time.monotonic() - self._logged_in_at > TOKEN_SECONDS:
            self.log_in()
            request.headers["Authorization"] = self.http.headers["Authorization"]

    def make_realm(self) -> None:
        self.http.post("/admin/realms", json={"realm": self.realm, "enabled": True}).raise_for_status()

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call ``/admin/realms/{realm}{path}`` and wait for the fleet."""
        headers = {"Prefer": "wait=20"}
        answer = self.http.request(method, f"/admin/realms/{self.realm}{path}", headers=headers, **options)
        answer.raise_for_status()
        return answer

    def make_client(self, client_id: str, **representation: Any) -> str:
        """Create a confidential client, known to every node; return its uuid."""
        body = {"clientId": client_id, "serviceAccountsEnabled": True, **representation}
        answer = self.call("POST", "/clients", json=body)
        assert answer.headers["Preference-Applied"] == "wait"
        return answer.headers["Location"].rsplit("/", 1)[1]

    def secret(self, uuid: str) -> str:
        return str(self.call("GET", f"/clients/{uuid}/client-secret").json()["value"])


def token_url(base_url: str, realm: str) -> str:
    return f"{base_url}/realms/{realm}/protocol/openid-connect/token"


def ask_token(base_url: str, realm: str, client_id: str, secret: str) -> httpx.Response:
    """Request a token with client_secret_basic."""
    form = {"grant_type": "client_credentials"}
    return httpx.post(token_url(base_url, realm), data=form, auth=(client_id, secret), trust_env=False)
