"""The import rule of tests finds violations."""

from collections.abc import Iterable

import pytest
from grimp import ImportGraph

from tests.import_rules import OwnDirectoryContract

_MODULES = (
    *("suite", "suite.one", "suite.one.helper", "suite.one.test_one", "suite.one.below"),
    *("suite.one.below.helper", "suite.other", "suite.other.helper", "suite.kit", "suite.kit.helper"),
    *("outside", "outside.program"),
)


def faults(imports: Iterable[tuple[str, str]], exempt: Iterable[str] = ()) -> list[str]:
    graph = ImportGraph()
    for module in _MODULES:
        graph.add_module(module)
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    options = {"directory": "suite", "shared": "suite.kit", "exempt": list(exempt)}
    checked = OwnDirectoryContract("the rule", {}, options).check(graph, verbose=False)
    assert checked.kept == (not checked.metadata["faults"])
    return list(checked.metadata["faults"])


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("suite.one.test_one", "suite.one.helper"),
        ("suite.one.below.helper", "suite.one.helper"),
        ("suite.one.helper", "suite.one.below.helper"),
        ("suite.one.helper", "suite.kit.helper"),
        ("outside.program", "suite.kit.helper"),
        ("suite.kit.helper", "suite.kit"),
        ("suite.one.helper", "outside.program"),
    ],
)
def test_own_directories_and_what_is_shared_may_be_imported(importer: str, imported: str) -> None:
    assert faults([(importer, imported)]) == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("suite.other.helper", "suite.one.helper"),
        ("suite.kit.helper", "suite.one.helper"),
        ("outside.program", "suite.one.helper"),
        ("suite.one.helper", "suite.one.test_one"),
    ],
)
def test_another_directory_and_a_test_may_not_be_imported(importer: str, imported: str) -> None:
    assert faults([(importer, imported)]) == [f"{importer} -> {imported}"]
    assert faults([(importer, imported)], exempt=[importer]) == []


def test_an_exemption_that_nobody_needs_is_a_fault() -> None:
    assert faults([], exempt=["suite.one.test_one"]) == ["suite.one.test_one is exempt and need not be"]
