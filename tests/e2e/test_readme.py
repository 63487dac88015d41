"""The README's examples work unmodified on a running stack, at the second time as well."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.testkit.local_stack import RunningStack

README = Path(__file__).parents[2] / "README.md"
_SECONDS = 60


@pytest.fixture
def directory(stack: RunningStack, tmp_path: Path) -> Path:
    """The directory in which the stack's data directory has its usual name."""
    (tmp_path / ".keyturn").symlink_to(stack.data)
    return tmp_path


def _run(command: list[str], directory: Path) -> str:
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("library", "last_line"), [("requests", "Bearer"), ("python-keycloak", "secret"), ("Authlib", "Bearer")]
)
def test_a_client_library_works_as_shown(library: str, last_line: str, directory: Path) -> None:
    text = README.read_text("utf-8")
    _, _, after = text.partition(f"**{library}**")
    script = after.partition("```python\n")[2].partition("```")[0]
    for _ in range(2):
        assert _run([sys.executable, "-c", script], directory).splitlines()[-1] == last_line


def test_the_first_steps_work_as_shown(stack: RunningStack, directory: Path) -> None:
    text = README.read_text("utf-8").partition("## First steps\n")[2]
    script = text.partition("```sh\n")[2].partition("```")[0].replace("http://127.0.0.1:8080", stack.base_url)
    for _ in range(2):
        output = _run(["bash", "-ec", script], directory)
        assert "Traceback" not in output
        assert '"access_token"' in output
        _, _, after = output.lower().rpartition("preference-applied: wait")
        assert "invalid_client" in after
