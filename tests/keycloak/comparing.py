"""Differences between two answers, and the classes of those that are on purpose."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.keycloak.facts import Facts

CLASSES_FILE: Final = Path(__file__).with_name("classes.toml")
ABSENT: Final = "absent"
_DECIDING: Final = ("body.active", "body.names")
"""If a token is active for one server only, or a list has other entries, everything else differs as well."""


@dataclass(frozen=True)
class Difference:
    """One fact that the two answers do not share."""

    scenario: str
    request: str
    place: str
    keycloak: str
    keyturn: str

    def __str__(self) -> str:
        return f"{self.scenario} | {self.request} | {self.place}: {self.keycloak} | {self.keyturn}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile once: there are more patterns than ``re`` remembers."""
    return re.compile(pattern, re.DOTALL)


@dataclass(frozen=True)
class Rule:
    """Regular expressions that a difference must match as a whole; one that is not given matches all."""

    place: str
    scenario: str = ".*"
    request: str = ".*"
    keycloak: str = ".*"
    keyturn: str = ".*"

    def matches(self, difference: Difference) -> bool:
        return all(
            _compiled(getattr(self, name)).fullmatch(getattr(difference, name))
            for name in ("place", "scenario", "request", "keycloak", "keyturn")
        )


@dataclass(frozen=True)
class DifferenceClass:
    """A kind of difference that is on purpose. ``documented``: a part of the sentence in docs/ that says so,
    after the name of its page. ``form``: it is about the form of answers, whatever they say."""

    name: str
    reason: str
    documented: str
    rules: tuple[Rule, ...]
    form: bool = False

    def matches(self, difference: Difference) -> bool:
        return any(rule.matches(difference) for rule in self.rules)


def load_classes(path: Path = CLASSES_FILE) -> list[DifferenceClass]:
    """Read the file of classes, in its order: the first one that matches has the difference."""
    content: dict[str, list[dict[str, Any]]] = tomllib.loads(path.read_text())
    return [
        DifferenceClass(
            each["name"],
            " ".join(each["reason"].split()),
            " ".join(each["documented"].split()),
            tuple(Rule(**rule) for rule in each["rules"]),
            each.get("form", False),
        )
        for each in content["class"]
    ]


def class_of(difference: Difference, classes: Sequence[DifferenceClass]) -> DifferenceClass | None:
    """Return the first class that has this difference, None if it is not on purpose."""
    return next((each for each in classes if each.matches(difference)), None)


def differences(scenario: str, request: str, keycloak: Facts, keyturn: Facts) -> Iterator[Difference]:
    """Yield each fact that differs, by place. If one server accepts a request and the other does not, that is
    one difference."""
    if _accepts(keycloak) != _accepts(keyturn):
        yield Difference(scenario, request, "outcome", _outcome(keycloak), _outcome(keyturn))
        return
    for place in _DECIDING:
        if keycloak.get(place) != keyturn.get(place):
            yield Difference(scenario, request, place, _shown(keycloak, place), _shown(keyturn, place))
            return
    for place in sorted(keycloak.keys() | keyturn.keys()):
        one, other = (_shown(facts, place) for facts in (keycloak, keyturn))
        if one != other:
            yield Difference(scenario, request, place, one, other)


def _accepts(facts: Facts) -> bool:
    return int(facts["status"]) < 400


def _outcome(facts: Facts) -> str:
    texts = (facts.get(f"body.{member}") for member in ("error", "error_description", "errorMessage"))
    return " ".join(str(part) for part in (facts["status"], *texts) if part is not None)


def _shown(facts: Facts, place: str) -> str:
    return repr(facts[place]) if place in facts else ABSENT
