"""The scenarios, the classes of differences and the page that a run writes agree with each other."""

import re
from collections import Counter

import httpx
import jwt
import pytest

from tests.keycloak.comparing import Difference, Rule, class_of, differences, load_classes
from tests.keycloak.facts import facts_of
from tests.keycloak.page import PAGE, page
from tests.keycloak.results import Result
from tests.keycloak.scenarios import all_scenarios
from tests.testkit.tools import REPOSITORY

DEFAULT_PAGE = "keycloak-compatibility.md"


def words(text: str) -> str:
    return " ".join(text.split())


def response(status: int = 200, **more: object) -> httpx.Response:
    return httpx.Response(status, json=more)


def test_there_are_at_least_400_scenarios_and_each_has_a_name_of_its_own() -> None:
    names = Counter(f"{area}: {each.name}" for area, of_area in all_scenarios().items() for each in of_area)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) >= 400


def test_every_class_points_at_a_sentence_of_the_documentation() -> None:
    classes = load_classes()
    assert len({each.name for each in classes}) == len(classes)
    for each in classes:
        named, separator, phrase = each.documented.partition(".md: ")
        name = f"{named}.md" if separator else DEFAULT_PAGE
        text = words((REPOSITORY / "docs" / name).read_text())
        assert (phrase if separator else each.documented) in text, each.name


def test_the_page_has_the_classes_and_the_scenarios_of_today() -> None:
    text = PAGE.read_text()
    whole, _, below = text.partition("## On purpose")
    rows = [line.split(" | ") for line in below.splitlines()[4:]]
    assert {row[0].removeprefix("| "): words(row[2]) for row in rows} == {
        each.name: each.reason for each in load_classes()
    }, "run make keycloak-diff ARGS=--write"
    counted = re.findall(r"^\| ([\w ,]+) \| (\d+) \|", whole, re.MULTILINE)
    expected = {area: len(of_area) for area, of_area in all_scenarios().items()}
    expected["all"] = sum(expected.values())
    assert {area: int(count) for area, count in counted} == expected


def test_answers_that_differ_only_in_what_must_vary_are_equal() -> None:
    one = facts_of(response(id="0b0e4f5c-8d8a-4d7e-9d3a-0c3a54d1f3b7", exp=1_800_000_000, scope="b a"), {})
    other = facts_of(response(id="1b0e4f5c-8d8a-4d7e-9d3a-0c3a54d1f3b7", exp=1_800_000_007, scope="a b"), {})
    assert list(differences("s", "r", one, other)) == []


def test_a_member_that_one_side_does_not_have_is_a_difference() -> None:
    found = list(differences("s", "r", facts_of(response(a=1, b=2), {}), facts_of(response(a=1), {})))
    assert found == [Difference("s", "r", "body.b", "2", "absent")]


def test_a_refusal_on_one_side_is_one_difference() -> None:
    accepted, refused = facts_of(response(a=1), {}), facts_of(response(400, error="invalid_scope"), {})
    assert list(differences("s", "r", accepted, refused)) == [
        Difference("s", "r", "outcome", "200", "400 invalid_scope")
    ]


def test_the_claims_of_a_token_are_compared() -> None:
    token = jwt.encode({"iat": 100, "exp": 400, "sub": "orders"}, "k" * 32, headers={"kid": "x"})
    facts = facts_of(response(access_token=token), {})
    assert facts["token.header.alg"] == "HS256"
    assert (facts["token.claims.sub"], facts["token.claims.exp_"]) == ("orders", "iat + 300")


def test_a_list_of_other_entries_is_one_difference() -> None:
    one = facts_of(httpx.Response(200, json=[{"name": "a", "x": 1}]), {})
    other = facts_of(httpx.Response(200, json=[{"name": "b", "x": 1}]), {})
    assert [each.place for each in differences("s", "r", one, other)] == ["body.names"]


@pytest.mark.parametrize(("place", "matches"), [("body.a", True), ("body.ab", False), ("status", False)])
def test_a_rule_matches_the_whole_of_a_difference(place: str, matches: bool) -> None:
    assert Rule(place="body\\.a").matches(Difference("s", "r", place, "1", "2")) is matches


def test_the_page_counts_what_is_equal_and_shows_an_example() -> None:
    classes = load_classes()
    difference = Difference("realms: x", "GET /", "cache-control", "'no-cache'", "'no-store'")
    caching = class_of(difference, classes)
    assert caching is not None
    results = [Result("realms", "x", 1, (difference,)), Result("realms", "y", 2, ())]
    text = page(results, classes)
    assert "| realms | 2 | 3 | 1 | 1 | 0 |" in text
    assert (
        f"| {caching.name} | 1 | {caching.reason} | realms: x, cache-control: `'no-cache'`, `'no-store'` |"
        in text
    )
