"""Nothing that somebody without the service's keys does to the chain is missed."""

from dataclasses import replace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keyturn_credentials.domain.audit_chain.entries import FIELDS, Entry, Standing
from tests.unit.credentials.domain.audit_chain.chains import Chained, chain_of, problems, written

_COUNT = 6
_CHAIN = chain_of(3).with_checkpoint().extended(written(number) for number in range(4, _COUNT + 1))

_texts = st.text(max_size=12)
_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    _texts,
    st.lists(_texts, max_size=3),
    st.dictionaries(_texts, st.one_of(_texts, st.integers(-9, 9), st.booleans()), max_size=3),
)
_places = st.integers(0, _COUNT - 1)


def _encoded(entry: Entry) -> tuple[Any, ...]:
    """Tell apart what Python takes for equal, such as 1 and true."""
    return (entry.id, entry.mac, entry.number, entry.previous, entry.standing, repr(entry.values))


def _is_found(entries: list[Entry], *, relinks: bool) -> bool:
    changed = replace(_CHAIN, entries=tuple(entries))
    return not (changed.relinked() if relinks else changed).check().is_good


def test_the_chain_itself_is_good() -> None:
    assert problems(_CHAIN.check()) == set()


@given(place=_places, field=st.integers(0, len(FIELDS) - 1), value=_values, relinks=st.booleans())
def test_any_other_value_of_any_field_is_found(place: int, field: int, value: Any, relinks: bool) -> None:
    entries = list(_CHAIN.entries)
    values = list(entries[place].values)
    values[field] = value
    changed = replace(entries[place], values=tuple(values))
    assume(_encoded(changed) != _encoded(entries[place]))
    entries[place] = changed
    assert _is_found(entries, relinks=relinks)


@given(
    place=_places,
    column=st.sampled_from(["id", "mac", "number", "previous", "standing"]),
    number=st.integers(-3, 20),
    octets=st.binary(min_size=32, max_size=32),
    text=_texts,
    none=st.booleans(),
)
def test_any_other_value_of_the_chains_columns_is_found(
    place: int, column: str, number: int, octets: bytes, text: str, none: bool
) -> None:
    entries = list(_CHAIN.entries)
    value: Any = {"mac": text, "previous": octets}.get(column, number)
    if none and column != "id":
        value = None
    changed = replace(entries[place], **{column: value})
    assume(_encoded(changed) != _encoded(entries[place]))
    entries[place] = changed
    # The database returns entries in the order of their numbers.
    entries.sort(key=lambda entry: (99 if entry.number is None else entry.number, entry.id))
    assert _is_found(entries, relinks=False)


@given(st.permutations(range(_COUNT)), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_any_other_order_is_found(order: list[int], renumbers: bool, relinks: bool) -> None:
    assume(order != list(range(_COUNT)))
    entries = [_CHAIN.entries[place] for place in order]
    if renumbers:
        entries = [replace(entry, number=place) for place, entry in enumerate(entries, 1)]
    assert _is_found(entries, relinks=relinks)


@given(st.sets(_places, min_size=1), st.booleans(), st.booleans())
def test_any_removed_entries_are_found(removed: set[int], renumbers: bool, relinks: bool) -> None:
    entries = [entry for place, entry in enumerate(_CHAIN.entries) if place not in removed]
    if renumbers:
        entries = [replace(entry, number=place) for place, entry in enumerate(entries, 1)]
    assert _is_found(entries, relinks=relinks)


@given(st.integers(0, _COUNT), st.booleans())
def test_an_inserted_entry_is_found_wherever_it_is(place: int, relinks: bool) -> None:
    inserted = replace(written(77, ring=None), standing=int(Standing.VOUCHED), previous=_CHAIN.base.hash)
    entries = [*_CHAIN.entries[:place], inserted, *_CHAIN.entries[place:]]
    entries = [replace(entry, number=number) for number, entry in enumerate(entries, 1)]
    assert _is_found(entries, relinks=relinks)


@given(st.integers(1, _COUNT), st.integers(0, _COUNT))
def test_a_cut_off_end_is_found_against_any_head_that_was_kept_later(kept: int, cut: int) -> None:
    """He puts back an earlier head that he has seen, which is genuine."""
    assume(cut < kept)
    heads = {count: chain_of(count).head for count in (kept, cut)}
    cut_off = Chained(_CHAIN.entries[:cut], _CHAIN.base, heads[cut])
    assert cut_off.check().is_good, "without a kept head, nothing shows it"
    assert problems(cut_off.check(kept=heads[kept])) == {"cut_off"}


@given(st.integers(1, 4), st.integers(1, 4))
def test_another_continuation_is_found_against_a_kept_head(cut: int, added: int) -> None:
    """Entries that were cut off may have been replaced meanwhile, by the service itself."""
    kept = _CHAIN.head
    other = chain_of(cut).extended(written(number + 100) for number in range(added + _COUNT))
    assert "rewritten" in problems(other.check(kept=kept))
