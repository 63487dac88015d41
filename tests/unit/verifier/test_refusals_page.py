"""docs/refusals.md lists every code with which a verifier refuses, and no other."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import keyturn_shared
import keyturn_verifier
from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.errors import UNAVAILABLE_CODES

PAGE = Path(__file__).parents[3] / "docs" / "refusals.md"

# Bases that are never raised themselves, and errors that end before they could refuse a caller: in the
# settings, in the fetcher, or in reading keys, archives or nodes' records, where each becomes another one.
# The credentials service alone is overloaded.
INTERNAL = {
    *("verifier", "refused", "jose", "configuration", "invalid_name", "invalid_key", "invalid_key_set"),
    *("fetch_refused", "download_failed", "key_set_record_broken", "node_record_broken", "shadow"),
    *("key_store", "alias_ambiguous", "alias_not_found", "invalid_key_store_parameter", "limit_exceeded"),
    *("malformed_file", "password_missing", "unsupported_algorithm", "wrong_key_password"),
    *("wrong_store_password", "overloaded", "key_wrapping"),
}
# Not errors: a valid token for another purpose; and one of the credentials service's own.
BESIDES = {"insufficient_scope", "store_unavailable"}


def codes() -> set[str]:
    for package in (keyturn_shared, keyturn_verifier):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    prefixes = ("keyturn_shared.", "keyturn_verifier.")
    return {error.code for error in subclasses(KeyturnError) if error.__module__.startswith(prefixes)}


def subclasses(of: type[KeyturnError]) -> Iterator[type[KeyturnError]]:
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


def rows() -> dict[str, list[str]]:
    """Return the cells of each row by its code."""
    found = re.findall(r"^\| `([a-z_]+)` \|(.+)\|$", PAGE.read_text(), re.MULTILINE)
    return {code: [cell.strip() for cell in cells.split("|")] for code, cells in found}


def test_the_page_lists_every_code_and_no_other() -> None:
    assert set(rows()) == (codes() - INTERNAL) | BESIDES


def test_each_code_has_its_meaning() -> None:
    assert all(
        (len(cells) == 2 and cells[0].endswith((".", "`"))) or ":" in cells[0] for cells in rows().values()
    )


def test_what_means_ask_again_stands_under_its_own_heading() -> None:
    section = PAGE.read_text().split("## Nothing can be decided now")[1]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)) == UNAVAILABLE_CODES


@pytest.mark.parametrize("code", sorted(INTERNAL))
def test_what_is_left_out_exists(code: str) -> None:
    assert code in codes()
