"""The time before an end at which a notice opens."""

import pytest

from keyturn_credentials.domain.notice_lead import DEFAULT_LEAD_SECONDS, lead_seconds, read_lead
from keyturn_credentials.domain.realm import Realm, check_realm
from keyturn_credentials.errors import InvalidRequestError

NAME = "keyturn.notices.lead-time"


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({}, DEFAULT_LEAD_SECONDS),
        ({NAME: " "}, DEFAULT_LEAD_SECONDS),
        ({NAME: "60"}, 60),
        ({NAME: " 3600 "}, 3600),
    ],
)
def test_a_realm_says_how_long(values: dict[str, str], seconds: float) -> None:
    assert read_lead(values) == lead_seconds(values) == seconds


@pytest.mark.parametrize("text", ["0", "59", "-1", "1.5", "a day", "31622401", "9999999999", "\u0663600"])
def test_what_is_no_time_is_refused_and_if_it_is_stored_already_the_default_counts(text: str) -> None:
    with pytest.raises(InvalidRequestError, match=NAME):
        check_realm(Realm("id", "acme", attributes={NAME: text}))
    assert lead_seconds({NAME: text}) == DEFAULT_LEAD_SECONDS
