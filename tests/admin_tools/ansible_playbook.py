"""Ansible with its collection community.general, from Python packages pinned by digest."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.testkit.tools import TOOLS, made_once, must_run, run

PLAYBOOK: Final = Path(__file__).parent / "ansible" / "playbook.yml"
_COLLECTION: Final = "ansible_collections/community/general/"
_INSTALL_SECONDS: Final = 600.0


def run_playbook(
    environment: Mapping[str, str], *, seconds: float = 300.0
) -> subprocess.CompletedProcess[str]:
    """Run the playbook. Raises ToolError; the caller checks the exit code."""
    directory = TOOLS / "ansible"
    lists = [PLAYBOOK.with_name(name) for name in ("requirements.txt", "collection.txt")]
    version = hashlib.sha256(b"".join(each.read_bytes() for each in lists)).hexdigest()
    made_once("ansible", directory / ".installed", version, lambda: _install(directory, *lists))
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"),
        "ANSIBLE_HOME": str(directory / "home"),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    command = [directory / "bin" / "ansible-playbook", PLAYBOOK]
    return run(command, environment=settings | dict(environment), seconds=seconds)


def _install(directory: Path, requirements: Path, collection: Path) -> None:
    must_run([sys.executable, "-m", "venv", "--clear", directory])
    pip = [directory / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    must_run([*pip, "install", "--require-hashes", "-r", requirements], seconds=_INSTALL_SECONDS)
    wheels = directory / "wheels"
    fetch = [
        "download",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "-d",
        wheels,
        "-r",
        collection,
    ]
    must_run([*pip, *fetch], seconds=_INSTALL_SECONDS)
    [wheel] = wheels.glob("ansible-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(_COLLECTION)]
        archive.extractall(directory / "collections", names)
    wheel.unlink()
