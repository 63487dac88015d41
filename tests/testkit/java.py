"""The machine's JDK and Maven, for programs that tests run from Maven Central."""

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Final

from tests.testkit.tools import ToolError, must_run, run

OLDEST_JAVA: Final = 17
_DOWNLOAD_SECONDS: Final = 600.0


def java_home() -> Path:
    """Return the JDK's directory: JAVA_HOME, or that of ``java`` on PATH. Raises ToolError if there is none
    or it is too old."""
    named, found = os.environ.get("JAVA_HOME"), shutil.which("java")
    if not named and not found:
        raise ToolError(f"there is no java: install a JDK, version {OLDEST_JAVA} or newer")
    home = Path(named) if named else Path(str(found)).resolve().parents[1]
    version = java_version(run([home / "bin" / "java", "-version"]).stderr)
    if version < OLDEST_JAVA:
        raise ToolError(f"{home} is Java {version}: version {OLDEST_JAVA} or newer is required")
    return home


def java_version(text: str) -> int:
    """Return the major version that ``java -version`` prints; Java 8 calls itself 1.8. Raises ToolError."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    if found is None:
        raise ToolError(f"java does not tell its version: {text[:200]!r}")
    return int(found[1])


def maven_artifact(coordinates: str, sha256: str) -> Path:
    """Download ``group:artifact:version:type`` with Maven, without dependencies, into its local repository;
    return the file. Raises ToolError if there is no Maven, or it is not the file of this digest."""
    file = _local_repository() / artifact_path(coordinates)
    if not file.is_file():
        maven = shutil.which("mvn")
        if maven is None:
            raise ToolError(f"there is no mvn: install Maven, which downloads {coordinates}")
        arguments = ["--batch-mode", "--quiet", f"-Dmaven.repo.local={_local_repository()}"]
        wanted = [f"-Dartifact={coordinates}", "-Dtransitive=false"]
        must_run([maven, *arguments, "dependency:get", *wanted], seconds=_DOWNLOAD_SECONDS)
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise ToolError(f"{file} has the SHA-256 digest {found}, and not {sha256}: delete it and try again")
    return file


def artifact_path(coordinates: str) -> Path:
    """Return the place of an artifact in a Maven repository."""
    group, artifact, version, kind = coordinates.split(":")
    return Path(*group.split("."), artifact, version, f"{artifact}-{version}.{kind}")


def _local_repository() -> Path:
    return Path.home() / ".m2" / "repository"
