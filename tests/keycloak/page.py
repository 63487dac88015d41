"""The page with the result of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.keycloak.comparing import Difference, DifferenceClass, class_of
from tests.keycloak.results import Result
from tests.testkit.keycloak import VERSION
from tests.testkit.tools import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "keycloak-differences.md"
_LONGEST: Final = 90

_BEGINNING: Final = f"""# Differences from Keycloak

`make keycloak-diff` sends the same requests, in the same order, to a Keycloak {VERSION} and to
keyturn, both running as in production, and compares status, errors, members, headers, tokens and
introspection. Realm `acme` of keyturn is imported from Keycloak's export. Ids, times and signatures are
left out. The command fails if a difference is not in one of the classes below. It wrote this page.
"""


def page(results: Sequence[Result], classes: Sequence[DifferenceClass]) -> str:
    """Return the text of the page."""
    classed = [_Classed(result, _first_of_each(result, classes)) for result in results]
    lines = [
        _BEGINNING,
        "| area | scenarios | requests | equal | equal but for their form | different on purpose |",
        "|---|---|---|---|---|---|",
    ]
    areas = dict.fromkeys(result.area for result in results)
    lines += [_counts(area, [each for each in classed if each.result.area == area]) for area in areas]
    lines += [_counts("all", classed), "", "## On purpose", ""]
    lines += ["| class | scenarios | because | an example: Keycloak, keyturn |", "|---|---|---|---|"]
    lines += [_class_row(each, classed) for each in classes]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Classed:
    """A result with the first difference of each class; None has those of no class."""

    result: Result
    found: Mapping[DifferenceClass | None, Difference]


def _first_of_each(
    result: Result, classes: Sequence[DifferenceClass]
) -> dict[DifferenceClass | None, Difference]:
    found: dict[DifferenceClass | None, Difference] = {}
    for difference in result.differences:
        found.setdefault(class_of(difference, classes), difference)
    return found


def _counts(area: str, results: Sequence[_Classed]) -> str:
    requests = sum(each.result.requests for each in results)
    equal = sum(not each.found for each in results)
    similar = sum(_differs_in_form_only(each) for each in results)
    others = len(results) - equal - similar
    return f"| {area} | {len(results)} | {requests} | {equal} | {similar} | {others} |"


def _differs_in_form_only(each: _Classed) -> bool:
    return bool(each.found) and all(found is not None and found.form for found in each.found)


def _class_row(each: DifferenceClass, results: Sequence[_Classed]) -> str:
    examples = [result.found[each] for result in results if each in result.found]
    return f"| {each.name} | {len(examples)} | {each.reason} | {_example(examples)} |"


def _example(examples: Sequence[Difference]) -> str:
    if not examples:
        return ""
    first = examples[0]
    return f"{first.scenario}, {first.place}: {_cell(first.keycloak)}, {_cell(first.keyturn)}"


def _cell(text: str) -> str:
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"`{short}`".replace("|", "\\|").replace("\n", " ")
