"""Times of the audit log's filters, and the authors of its entries."""

import pytest

from keyturn.admin_cli.audit import author_of, seconds_of
from keyturn.admin_cli.exits import CommandError, ExitCode


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("1700000000", 1_700_000_000),
        ("0", 0),
        ("2023-11-14", 1_699_920_000),
        ("20231114", 1_699_920_000),
        ("2023-11-14T22:13:20", 1_700_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14 23:13:20+01:00", 1_700_000_000),
    ],
)
def test_times_are_dates_or_seconds(text: str | None, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "2023-13-01", "-1", "9" * 13])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(CommandError) as refused:
        seconds_of(text)
    assert refused.value.exit_code is ExitCode.USAGE


def test_an_author_is_a_client_or_a_person_with_its_subject() -> None:
    person = {"issuer": "https://id.example", "subject": "ada-1", "name": "Ada"}
    nobody = {"realm": None, "client_id": None}
    assert author_of({"realm": "master", "client_id": "ops"}) == "ops"
    assert author_of({**nobody, "person": person}) == "Ada (ada-1)"
    assert author_of({**nobody, "person": person | {"name": ""}}) == "ada-1"
