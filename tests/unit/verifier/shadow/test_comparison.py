"""Two introspections of one token agree, differ in named members, or only one side knows the token."""

from typing import Any

import pytest

from keyturn_verifier.shadow.comparison import COMPARED, Kind, canonical, compare

HERE: dict[str, Any] = {
    "active": True,
    "client_id": "orders",
    "scope": "a b",
    "aud": "api",
    "iss": "https://new",
    "realm_access": {"roles": ["x", "y"]},
}
THERE = {**HERE, "scope": "b a", "aud": ["api"], "iss": "https://old", "realm_access": {"roles": ["y", "x"]}}


def test_order_and_what_is_by_design_do_not_count() -> None:
    assert compare(HERE, THERE) == (Kind.AGREED, ())
    assert compare({"active": False}, {"active": False}) == (Kind.AGREED, ())


@pytest.mark.parametrize(
    ("here", "there", "kind"), [(HERE, {}, Kind.ONLY_HERE), ({}, THERE, Kind.ONLY_THERE)]
)
def test_a_token_that_one_side_knows(here: dict[str, Any], there: dict[str, Any], kind: Kind) -> None:
    assert compare(here, there) == (kind, ())
    assert compare(
        {**here, "active": here.get("active", "true")}, there | {"active": there.get("active", 1)}
    ) == (
        kind,
        (),
    )


@pytest.mark.parametrize("name", COMPARED)
def test_each_member_is_compared(name: str) -> None:
    assert compare(HERE, {**THERE, name: {"other": 1}}) == (Kind.DIFFERED, (name,))


def test_what_is_compared_does_not_grow_with_the_depth_of_an_answer() -> None:
    """Administrators of the other side choose what is in a token."""
    nested: Any = "'\"" * 100
    for _ in range(6):
        nested = [{"a": nested}]
    assert len(canonical(nested)) < 2000
    assert canonical([1, [2, {"b": 1, "a": 2}]]) == canonical([[{"a": 2, "b": 1}, 2], 1])
    assert len({canonical(value) for value in (1, 1.0, True, "1", None, [1], {"1": 1}, [[1]], ["1"])}) == 9
