"""The form of docstrings, beyond what ruff checks: they begin with a verb or a noun."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testkit.python_source import parse

REPOSITORY = Path(__file__).parents[3]
SOURCES = ("services", "shared", "keyturn", "tests", "benchmarks")
FRAGMENT = re.compile(
    r"(As|How|So that|That|Those|What|Whatever|When|Where|Whether|Which|Who|Whoever|Whose|Why)\b"
)


def _fragments(source: str) -> Iterator[str]:
    for node in ast.walk(parse(source)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                text = statement.value.value
                if isinstance(text, str) and FRAGMENT.match(text):
                    yield f"{statement.lineno}: {text.splitlines()[0]}"


@pytest.mark.parametrize("root", SOURCES)
def test_no_docstring_is_a_relative_clause(root: str) -> None:
    paths = sorted((REPOSITORY / root).rglob("*.py"))
    found = [f"{path}:{each}" for path in paths for each in _fragments(path.read_text())]
    assert paths != []
    assert found == []


def test_a_relative_clause_is_found_in_modules_classes_functions_and_attributes() -> None:
    source = '''"""What this is."""
class A:
    """Whether it is."""
    b = 1
    """How many."""
    def c(self):
        """Whose it is."""
    def d(self):
        """Return whether it is."""
'''
    assert [text.split(": ")[0] for text in _fragments(source)] == ["1", "3", "5", "7"]
