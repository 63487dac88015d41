"""Only licences that the policy accepts are shipped, and each of them is known."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.release.checkout import ReleaseError
from tests.release.licences import (
    Exceptional,
    Licensed,
    Policy,
    licence_of,
    read_policy,
    wrong_with_licences,
)
from tests.release.licences_page import licences
from tests.release.pins import SHIPPED, Pin, read_pins

PINS = {pin.name: pin for pin in read_pins(SHIPPED)}


def _policy(stated: Mapping[str, str] | None = None, **excepted: Exceptional) -> Policy:
    return Policy(frozenset({"MIT", "Apache-2.0"}), excepted, dict(stated or {}))


def _licensed(expression: str, name: str = "one") -> Licensed:
    return Licensed(Pin(name, "1.0", None, ("a" * 64,)), expression, is_declared=True)


def test_the_policy_accepts_all_that_is_shipped() -> None:
    assert wrong_with_licences(*licences()) == []


@pytest.mark.parametrize(
    "expression", ["MIT", "MIT OR GPL-3.0-only", "MIT AND Apache-2.0", "(GPL-2.0-only AND MIT) OR Apache-2.0"]
)
def test_an_expression_is_accepted(expression: str) -> None:
    assert wrong_with_licences([_licensed(expression)], _policy()) == []


@pytest.mark.parametrize(
    "expression",
    [
        "GPL-3.0-or-later",
        "AGPL-3.0-only",
        "LGPL-2.1-or-later",
        "MPL-2.0",
        "MIT AND GPL-2.0-only",
        "Apache-2.0 WITH LLVM-exception",
        "LicenseRef-Own",
        "(MIT OR Apache-2.0) AND SSPL-1.0",
    ],
)
def test_an_expression_is_not_accepted(expression: str) -> None:
    (said,) = wrong_with_licences([_licensed(expression)], _policy())
    assert said == f"one 1.0 has the licence {expression}, which is not accepted"


def test_an_exception_is_for_one_distribution_with_one_licence() -> None:
    policy = _policy(one=Exceptional("MPL-2.0", "It is data."))
    assert wrong_with_licences([_licensed("MPL-2.0")], policy) == []
    assert wrong_with_licences([_licensed("GPL-2.0-only")], policy) != []
    assert len(wrong_with_licences([_licensed("MPL-2.0"), _licensed("MPL-2.0", "other")], policy)) == 1


def test_an_exception_that_is_not_needed_or_has_no_reason_is_a_fault() -> None:
    policy = _policy(one=Exceptional("MPL-2.0", "It is data."))
    assert wrong_with_licences([_licensed("MIT")], policy) == ["one needs no exception: its licence is MIT"]
    assert wrong_with_licences([], policy) == ["the policy for licences names one, which is not shipped"]
    policy = _policy(one=Exceptional("MPL-2.0", ""))
    assert wrong_with_licences([_licensed("MPL-2.0")], policy) == ["the exception for one has no reason"]


def test_a_licence_is_read_from_the_metadata_or_else_from_the_policy() -> None:
    assert licence_of(PINS["cryptography"], _policy()).expression == "Apache-2.0 OR BSD-3-Clause"
    assert licence_of(PINS["h11"], _policy()).is_declared
    read = licence_of(PINS["mdurl"], _policy({"mdurl": "MIT"}))
    assert (read.expression, read.is_declared) == ("MIT", False)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({}, "the licence of mdurl 0.1.2 is unknown"),
        ({"mdurl": "MIT or so"}, "is no SPDX expression: MIT or so"),
        ({"mdurl": "Apache-2.0"}, "states Apache-2.0 for mdurl, whose metadata says MIT License"),
    ],
)
def test_a_licence_that_nobody_knows_is_refused(stated: dict[str, str], said: str) -> None:
    with pytest.raises(ReleaseError, match=said):
        licence_of(PINS["mdurl"], _policy(stated))


def test_a_licence_is_not_stated_twice() -> None:
    with pytest.raises(ReleaseError, match="anyio declares its licence, MIT"):
        licence_of(PINS["anyio"], _policy({"anyio": "MIT"}))


def test_another_version_than_the_pinned_one_says_nothing() -> None:
    with pytest.raises(ReleaseError, match=r"is installed, 0\.0\.1 is pinned: run `make install`"):
        licence_of(Pin("anyio", "0.0.1", None, ()), _policy())
    with pytest.raises(ReleaseError, match="no-such-thing is not installed"):
        licence_of(Pin("no-such-thing", "1", None, ()), _policy())


@pytest.mark.parametrize("text", ["accepted = 1", "accepted = []", "acepted = []", "not TOML"])
def test_a_wrong_policy_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "licences.toml"
    path.write_text(text)
    with pytest.raises(ReleaseError, match=r"^licences\.toml: "):
        read_policy(path)
