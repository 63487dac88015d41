"""Keycloak's distribution: downloaded, unpacked and built once."""

import shutil
import tarfile
from pathlib import Path
from typing import Final

from tests.testkit.java import java_home, maven_artifact
from tests.testkit.tools import TOOLS, ToolError, made_once, run

VERSION: Final = "26.7.3"
_SHA256: Final = "77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47"
_FEATURES: Final = (  # about the credentials of clients, and off by default
    "client-secret-rotation",
    "client-auth-federated",
    "spiffe",
    "kubernetes-service-accounts",
)
_BUILD: Final = ("build", "--db=dev-file", f"--features={','.join(_FEATURES)}")
_BUILD_SECONDS: Final = 900.0


def keycloak_home() -> Path:
    """Return the directory of a Keycloak that is ready to start; its tools are in ``bin``. The first call
    takes minutes. Raises ToolError."""
    home = TOOLS / f"keycloak-{VERSION}"
    stamp = " ".join((VERSION, _SHA256, *_BUILD))
    made_once("keycloak", home / ".built", stamp, lambda: _make(home))
    return home


def java_environment() -> dict[str, str]:
    """Return the variables with which Keycloak's scripts start Java: a short run, in bounded memory."""
    return {
        "JAVA_HOME": str(java_home()),
        "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx768m",
        "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
    }


def _make(home: Path) -> None:
    environment = java_environment()
    archive = maven_artifact(f"org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz", _SHA256)
    shutil.rmtree(home, ignore_errors=True)
    with tarfile.open(archive) as content:
        content.extractall(home.parent, filter="data")
    ended = run([home / "bin" / "kc.sh", *_BUILD], environment=environment, seconds=_BUILD_SECONDS)
    if ended.returncode != 0:
        raise ToolError(f"kc.sh build failed with exit code {ended.returncode}:\n{ended.stdout[-2000:]}")
