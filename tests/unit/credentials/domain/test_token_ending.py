"""Actions that end the tokens issued so far."""

import pytest

from keyturn_credentials.domain.token_ending import check_not_before, next_generation, read_not_before
from keyturn_credentials.errors import InvalidRequestError

NOW = 1_000_000.9
LATEST = 2**31 - 1


@pytest.mark.parametrize(
    ("document", "time"),
    [
        ({}, 0),
        ({"notBefore": 0}, 0),
        ({"notBefore": 12}, 12),
        ({"notBefore": LATEST}, LATEST),
        ({"notBefore": LATEST + 1}, 0),
        ({"notBefore": -1}, 0),
        ({"notBefore": True}, 0),
        ({"notBefore": 12.5}, 0),
        ({"notBefore": "12"}, 0),
        ({"notBefore": None}, 0),
        ({"notbefore": 12}, 0),
    ],
)
def test_a_stored_time_that_is_none_counts_as_none(document: dict[str, object], time: int) -> None:
    assert read_not_before(document) == time


@pytest.mark.parametrize("value", [LATEST + 1, -1, True, 12.5, "12"])
def test_a_time_that_is_none_is_refused_when_it_is_set(value: object) -> None:
    with pytest.raises(InvalidRequestError, match="notBefore must be a time"):
        check_not_before({"notBefore": value})


@pytest.mark.parametrize("representation", [{}, *({"notBefore": at} for at in (None, 0, 12, LATEST))])
def test_a_time_or_none_may_be_set(representation: dict[str, object]) -> None:
    check_not_before(representation)


@pytest.mark.parametrize(
    ("may_before", "may_after", "former", "new", "ends"),
    [
        (True, True, 0, 0, False),
        (True, False, 0, 0, True),
        (False, True, 0, 0, False),  # disabling had ended them
        (False, False, 0, 0, False),
        (True, True, 0, 1_000_000, True),  # this very second
        (True, True, 0, 1_000_001, True),
        (True, True, 0, 999_999, False),  # the past: each token's own time decides
        (True, True, 1_000_000, 1_000_000, False),  # unchanged
        (True, True, 1_000_005, 1_000_004, False),  # reduced
        (True, True, 1_000_004, 1_000_005, True),
        (False, False, 0, 1_000_000, True),
        (True, False, 0, 999_999, True),
    ],
)
def test_tokens_end_once_with_what_ends_them(
    may_before: bool, may_after: bool, former: int, new: int, ends: bool
) -> None:
    generation = next_generation(
        7, may_before=may_before, may_after=may_after, not_before=(former, new), now=NOW
    )
    assert generation == (8 if ends else 7)
