"""Choosing an entry by its alias, as Java does."""

import pytest

from keyturn_shared.keystores.entries import StoredEntry, choose_entry
from keyturn_shared.keystores.errors import AliasAmbiguousError, AliasNotFoundError


def entries(*aliases: str) -> list[StoredEntry]:
    return [StoredEntry(alias, (), None) for alias in aliases]


def test_the_only_entry_needs_no_alias() -> None:
    (only,) = entries("a")
    assert choose_entry([only], None) is only


def test_an_alias_of_the_same_case_comes_before_one_of_another() -> None:
    found = entries("Client", "client")
    assert choose_entry(found, "client") is found[1]
    assert choose_entry(found, "Client") is found[0]
    assert choose_entry(entries("client"), "CLIENT").alias == "client"


@pytest.mark.parametrize("alias", [None, "CLIENT"])
def test_an_ambiguous_choice_lists_the_aliases(alias: str | None) -> None:
    with pytest.raises(AliasAmbiguousError, match=r"the archive has: 'Client', 'client'$") as refused:
        choose_entry(entries("Client", "client"), alias)
    assert refused.value.aliases == ("Client", "client")


def test_an_unknown_alias_lists_the_aliases_up_to_a_limit() -> None:
    many = entries(*(f"a{number}" for number in range(25)))
    with pytest.raises(AliasNotFoundError, match=r"no entries are called 'b'; .*'a19' and 5 more$"):
        choose_entry(many, "b")
