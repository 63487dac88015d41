import hashlib
from pathlib import Path

import pytest

from tests.testkit import maven, tools
from tests.testkit.tools import ToolError

JAR = b"the octets of a jar"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that lists one jar, which the download brings."""

    def download(_: Path, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "one.jar").write_bytes(JAR)

    monkeypatch.setattr(maven, "TOOLS", tmp_path / "tools")
    monkeypatch.setattr(tools, "TOOLS", tmp_path / "tools")
    monkeypatch.setattr(maven, "_download", download)
    made = tmp_path / "project"
    made.mkdir()
    (made / "jars.sha256").write_text(f"{hashlib.sha256(JAR).hexdigest()}  one.jar\n")
    return made


def test_jars_are_those_of_the_list(project: Path) -> None:
    assert [jar.name for jar in maven.jars_of(project).glob("*.jar")] == ["one.jar"]


@pytest.mark.parametrize("listed", ["", "0" * 64 + "  one.jar\n"])
def test_jars_that_are_not_listed_or_have_another_digest_are_not_used(project: Path, listed: str) -> None:
    (project / "jars.sha256").write_text(listed)
    for _ in range(2):
        with pytest.raises(ToolError, match=r"one\.jar"):
            maven.jars_of(project)
