"""Environment files, as a shell and systemd read them."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn.agent.sinks.env_file import env_line

VALUES = [
    "plain",
    "",
    " a ",
    "it's",
    '"quoted"',
    "$HOME `id` $(id)",
    "\\",
    "\\n\\$",
    "#no;comment&",
    "a\nb",
    "ß€😀",
    "!!",
]


@pytest.mark.parametrize("value", VALUES)
def test_a_shell_reads_the_value(tmp_path: Path, value: str) -> None:
    (tmp_path / "file").write_text(env_line("ORDERS_SECRET", value))
    script = 'set -a; . ./file; printenv ORDERS_SECRET; [ -z "$(printenv id)" ]'
    ended = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, value + "\n", "")


@settings(max_examples=300)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.sampled_from(VALUES))
def test_systemd_reads_the_value(value: str) -> None:
    """By the rules of systemd.exec(5): between double quotes a backslash escapes these four only."""
    line = env_line("A", value)
    quoted = re.fullmatch(r'A="((?:[^"\\]|\\["\\`$])*)"\n', line, re.DOTALL)
    assert quoted is not None
    assert re.sub(r'\\(["\\`$])', r"\1", quoted[1]) == value
    assert re.search(r"(?<!\\)(\\\\)*[`$]", quoted[1]) is None, "nothing that a shell expands"


@pytest.mark.parametrize("value", ["a\0b", "a\x1b[0m", "a\r", "\x7f", "\x85"])
def test_a_control_character_is_refused_without_the_value(value: str) -> None:
    with pytest.raises(OSError, match="the value of A has a control character") as refused:
        env_line("A", value)
    assert value not in str(refused.value)
