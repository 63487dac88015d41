"""The octets of an entry do not depend on the database, and nothing of it is left out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_credentials.domain.audit_chain.entries import FIELDS, entry_of, make_mac, matches, octets_of
from keyturn_credentials.store.audit_tables import audit
from keyturn_shared.sealing import KeyRing
from tests.unit.credentials.domain.audit_chain.chains import RING, row_of, written

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_every_column_of_the_table_is_hashed() -> None:
    of_the_chain = {"mac", "chain_number", "chain_previous", "chain_standing"}
    assert [column.name for column in audit.columns if column.name not in of_the_chain] == ["id", *FIELDS]


@given(st.dictionaries(st.text(max_size=5), _json, max_size=3))
def test_details_are_the_same_after_they_were_stored(details: dict[str, Any]) -> None:
    assert matches(RING, written(1, details=details)) is True


def test_the_order_of_members_does_not_matter() -> None:
    assert octets_of({"a": 1, "b": {"c": 2, "d": 3}}) == octets_of({"b": {"d": 3, "c": 2}, "a": 1})


def test_equal_entries_have_codes_of_their_own() -> None:
    row = row_of(1)
    assert make_mac(RING, "nonce-1", row) != make_mac(RING, "nonce-2", row)


def test_a_code_of_any_configured_key_is_accepted() -> None:
    entry = written(1)
    new = KeyRing([b"n" * 32, b"e" * 32], purpose="encryption")
    assert matches(new, entry) is True
    assert matches(KeyRing([b"n" * 32], purpose="encryption"), entry) is None


def _stored(**columns: Any) -> dict[str, Any]:
    chain = dict.fromkeys(("mac", "chain_number", "chain_previous", "chain_standing"))
    return {**row_of(1), "details": "{}", "id": 1, **chain, **columns}


@pytest.mark.parametrize("mac", ["", ".", "x", "nonce.", "nonce.1", "nonce.1.2", "nonce.1.x.y", 7, b"nonce"])
def test_a_code_that_is_none_vouches_for_nothing(mac: Any) -> None:
    assert matches(RING, entry_of(_stored(mac=mac))) is not True


@pytest.mark.parametrize("mac", ["", "x", "nonce.", "nonce.1"])
def test_a_code_without_a_keys_id_is_no_code_of_a_key_that_is_missing(mac: str) -> None:
    assert matches(RING, entry_of(_stored(mac=mac))) is False


@pytest.mark.parametrize("details", ["{", "", None, 7, '{"a":1}x'])
def test_details_that_cannot_be_read_are_hashed_nevertheless(details: Any) -> None:
    entry = entry_of(_stored(details=details))
    assert octets_of(entry.values[-1]) != octets_of({})


def test_octets_are_not_the_text_that_they_are_encoded_as() -> None:
    as_text = entry_of(_stored(client_id="b3JkZXJz"))
    as_octets = entry_of(_stored(client_id=b"orders"))
    assert octets_of(as_text.values) != octets_of(as_octets.values)


def test_columns_of_the_chain_with_other_types_are_no_places() -> None:
    entry = entry_of(_stored(chain_number="1", chain_previous="text", chain_standing="1"))
    assert (entry.number, entry.previous, entry.standing) == (-1, None, None)
