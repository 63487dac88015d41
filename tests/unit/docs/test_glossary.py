"""One word for one thing: words that were replaced do not come back as names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testkit.python_source import parse

REPOSITORY = Path(__file__).parents[3]
GLOSSARY = REPOSITORY / "docs" / "glossary.md"
SOURCES = ("services", "shared", "keyturn")

RETIRED = {
    "Basis": "ReadSet",
    "Decoys": "DummyKeys",
    "Follower": "EventApplier",
    "Forgetful": "Invalidatable",
    "HeldClient": "CachedClient",
    "HeldKeySets": "KeySetCache",
    "AssertionClaims": "ReplayGuard",
    "CredentialUses": "LastUsedRecorder",
    "KeySetChannel": "KeySetRepository",
    "KeySetDemands": "OnDemandRefresh",
    "SecretMaker": "SecretIssuer",
    "SharedLooks": "CoalescedRegistryReader",
    "SpentNumbers": "OneTimeTokens",
    "Upkeep": "Maintenance",
    "claim": "mark_used, or lease",
    "even_out": "equalize_time",
    "require_power_over": "require_permission",
}
RETIRED_MODULES = {
    "decoys",
    "held",
    "held_client",
    "looks",
    "possession",
    "presented",
    "spent",
    "upkeep",
    "uses",
}


def _names(source: Path) -> Iterator[str]:
    for node in ast.walk(parse(source.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def _sources() -> list[Path]:
    return [path for root in SOURCES for path in (REPOSITORY / root).rglob("*.py")]


def test_no_class_or_function_has_a_word_that_was_replaced() -> None:
    found = [f"{path.name}: {name}" for path in _sources() for name in _names(path) if name in RETIRED]
    assert found == [], RETIRED


def test_no_module_has_a_word_that_was_replaced() -> None:
    parts = {part for path in _sources() for part in path.relative_to(REPOSITORY).with_suffix("").parts}
    assert parts & RETIRED_MODULES == set()


def test_a_replaced_word_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("class A:\n    async def claim(self): ...\n")
    assert set(_names(tmp_path / "a.py")) & RETIRED.keys() == {"claim"}


@pytest.fixture(scope="module")
def terms() -> list[str]:
    rows = [line.split("|")[1].strip() for line in GLOSSARY.read_text().splitlines() if line.startswith("| ")]
    return rows[1:]


def test_the_glossary_has_at_most_forty_terms_in_order(terms: list[str]) -> None:
    assert len(terms) <= 40
    assert terms == sorted(set(terms))
