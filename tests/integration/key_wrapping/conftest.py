"""A token with KEKs, and commands that use it as an operator does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.testkit.softhsm import PIN, SoftHsm, softhsm

SECONDS = 120


@dataclass(frozen=True)
class Operator:
    """An operator beside a token named ``keys``. ``settings``: that name it."""

    hsm: SoftHsm
    pin_file: Path
    directory: Path

    @property
    def settings(self) -> dict[str, str]:
        return {
            **self.hsm.environment,
            "KEYTURN_PKCS11_MODULE": str(self.hsm.module),
            "KEYTURN_PKCS11_TOKEN": "keys",
            "KEYTURN_PKCS11_PIN_FILE": str(self.pin_file),
            "KEYTURN_PKCS11_SECONDS": "60",
        }

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run ``keyturn`` with these settings. ``changes``: further variables."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
        return subprocess.run(
            [sys.executable, "-m", "keyturn", *arguments],
            cwd=self.directory,
            env={**kept, **self.settings, **changes},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def printed(self, *arguments: str, **changes: str) -> str:
        """Return the one line that ``keyturn`` prints."""
        done = self.run(*arguments, **changes)
        assert (done.returncode, done.stderr) == (0, "")
        (line,) = done.stdout.splitlines()
        return line

    def refused(self, *arguments: str, **changes: str) -> list[str]:
        """Return the lines with which ``keyturn`` refuses. It prints nothing else, and never the PIN."""
        done = self.run(*arguments, **changes)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert PIN not in done.stderr
        return done.stderr.removeprefix("keyturn: ").splitlines()


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    place = tmp_path / "softhsm"
    place.mkdir()
    with softhsm(place) as hsm:
        hsm.make_token("keys")
        pin_file = tmp_path / "pin"
        pin_file.write_text(f"{PIN}\n")
        yield Operator(hsm, pin_file, tmp_path)
