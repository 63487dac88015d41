"""The import rule of tests, which import-linter checks together with the product's."""

from collections.abc import Iterator
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OwnDirectoryContract(Contract):
    """A helper is imported from its own directory, from those above it, and from those below it.

    Helpers of two directories are in the package ``shared``, which imports nothing else of ``directory``, and
    which alone others may import. Nothing imports a test module. ``exempt``: modules that break the rule for
    a reason; one that no longer breaks it is a fault as well.
    """

    type_name = "own_directory"

    directory = fields.StringField()
    shared = fields.StringField()
    exempt = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        exempt = cast("set[str]", self.exempt or set())
        found = list(self._misplaced(graph))
        faults = [f"{importer} -> {imported}" for importer, imported in found if importer not in exempt]
        unneeded = exempt - {importer for importer, _ in found}
        faults += [f"{module} is exempt and need not be" for module in sorted(unneeded)]
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for fault in cast("list[str]", check.metadata["faults"]):
            output.print_error(fault, bold=False)

    def _misplaced(self, graph: ImportGraph) -> Iterator[tuple[str, str]]:
        directory, shared = cast("str", self.directory), cast("str", self.shared)
        for imported in sorted(graph.modules):
            if not _within(imported, directory) or _within(imported, shared):
                continue
            is_test = imported.rpartition(".")[2].startswith("test_")
            for importer in sorted(graph.find_modules_that_directly_import(imported)):
                related = _within(importer, directory) and _are_related(graph, importer, imported)
                if is_test or not related:
                    yield importer, imported


def _are_related(graph: ImportGraph, importer: str, imported: str) -> bool:
    one, other = _package(graph, importer), _package(graph, imported)
    return _within(one, other) or _within(other, one)


def _package(graph: ImportGraph, module: str) -> str:
    return module if graph.find_children(module) else module.rpartition(".")[0]


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
