"""The run of all scenarios."""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.keycloak.comparing import Difference, differences
from tests.keycloak.scenario import Request, Scenario
from tests.keycloak.world import GivenError, World

_AT_ONCE: Final = 4
_ONE_BY_ONE: Final = {"client scopes", "realms", "import and export"}
"""Areas that change what clients of other scenarios have, the default scopes of their realm; and those that
create realms, which Keycloak cannot do at the same time without locking itself out of its database."""


@dataclass(frozen=True)
class Result:
    """The outcome of one scenario. ``requests``: the number of those compared."""

    area: str
    name: str
    requests: int
    differences: tuple[Difference, ...]


def run(keycloak: World, keyturn: World, scenarios: Mapping[str, Sequence[Scenario]]) -> list[Result]:
    """Play every scenario on both servers, several at once. Raises GivenError if Keycloak does not
    accept what prepares one; if keyturn does not, that is a difference."""
    results: list[Result] = []
    for area, of_area in scenarios.items():
        play = partial(_play, keycloak, keyturn, area)
        numbers = range(len(results) + 1, len(results) + 1 + len(of_area))
        with ThreadPoolExecutor(1 if area in _ONE_BY_ONE else _AT_ONCE) as pool:
            results += pool.map(play, of_area, numbers)
        print(f"{area}: {len(of_area)} scenarios", file=sys.stderr, flush=True)
    return results


def _play(keycloak: World, keyturn: World, area: str, scenario: Scenario, number: int) -> Result:
    expected = keycloak.play(scenario, number)
    try:
        answers = [expected, keyturn.play(scenario, number)]
    except GivenError as error:
        unprepared = Difference(f"{area}: {scenario.name}", "given", "given", "prepared", str(error))
        return Result(area, scenario.name, len(scenario.requests), (unprepared,))
    found: list[Difference] = []
    for position, request in enumerate(scenario.requests):
        one, other = (facts[position] for facts in answers)
        found += differences(f"{area}: {scenario.name}", describe(request), one, other)
    return Result(area, scenario.name, len(scenario.requests), tuple(found))


def describe(request: Request) -> str:
    """Return method and path, with the names of variables."""
    return f"{request.method} {request.path}"
