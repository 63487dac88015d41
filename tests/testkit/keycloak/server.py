"""A running Keycloak with a database of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final, Self

import httpx

from keyturn.stack.parent import ending_with_parent
from tests.testkit.ending import end_process
from tests.testkit.keycloak.distribution import java_environment, keycloak_home
from tests.testkit.ports import find_free_port
from tests.testkit.tools import TOOLS, ToolError, made_once

ADMIN_CLIENT_ID: Final = "first-administrator"
ADMIN_SECRET: Final = "secret-of-the-first-administrator"
_READY_SECONDS: Final = 300.0
_STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.2


class RunningKeycloak:
    """Starts with the realm ``master`` and one administrator, a client; ends with its context, or when this
    process dies. Everything that it stores is in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.port = find_free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.admin = {"realm": "master", "client_id": ADMIN_CLIENT_ID, "client_secret": ADMIN_SECRET}
        self.database = directory / "keycloak"
        self._log = directory / "keycloak.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start with a copy of a new database, and wait until it answers. Raises ToolError."""
        home = keycloak_home()
        if not self.database.exists():
            shutil.copytree(_new_database(home), self.database)
        self._launch(home)
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of the script, which passes signals on to Java."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End it in any state; what it stored remains, for another start."""
        if self._process is not None:
            end_process(self._process, _STOP_SECONDS)
            self._process = None

    def said(self) -> str:
        """Return its log so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def token(self) -> str:
        """Return a new access token of the administrator, valid for one minute."""
        answer = httpx.post(
            f"{self.base_url}/realms/master/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=(ADMIN_CLIENT_ID, ADMIN_SECRET),
            timeout=30,
            trust_env=False,
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def _launch(self, home: Path) -> None:
        options = [
            "--optimized",
            "--cache=local",
            "--http-enabled=true",
            "--hostname-strict=false",
            "--http-host=127.0.0.1",
            f"--http-port={self.port}",
        ]
        settings = {
            "KC_DB_URL_PATH": str(self.database),
            "KC_BOOTSTRAP_ADMIN_CLIENT_ID": ADMIN_CLIENT_ID,
            "KC_BOOTSTRAP_ADMIN_CLIENT_SECRET": ADMIN_SECRET,
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KC_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [home / "bin" / "kc.sh", "start", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=inherited | java_environment() | settings,
                start_new_session=True,
                preexec_fn=ending_with_parent(),
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ToolError(f"Keycloak did not start:\n{self.said()[-2000:]}")
            time.sleep(_POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/realms/master", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


def _new_database(home: Path) -> Path:
    """Return a database that Keycloak has just initialised, made once: it takes longer than all other steps
    of a start."""
    kept = home / "new-database"

    def make() -> None:
        with tempfile.TemporaryDirectory(prefix="keyturn-keycloak-", dir=TOOLS) as directory:
            first = RunningKeycloak(Path(directory))
            first.database.mkdir()
            with first:  # it is stopped before its files are copied
                pass
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(first.database, kept)

    made_once("keycloak-database", kept / ".made", f"{ADMIN_CLIENT_ID} {ADMIN_SECRET}", make)
    return kept
