"""Notices: short, and in characters that a header may have."""

from keyturn_credentials.domain.client_keys import notes_on
from keyturn_credentials.web.notices import notice
from keyturn_shared.jose.errors import KeyRefusal
from keyturn_shared.jose.key_set import SkippedKey


def test_without_a_note_there_is_no_header() -> None:
    assert notice([]) == {}


def test_further_notes_are_counted() -> None:
    assert notice([str(number) for number in range(5)]) == {"Keyturn-Notice": "0; 1; 2; 3; 4"}
    assert notice([str(number) for number in range(7)]) == {"Keyturn-Notice": "0; 1; 2; 3; 4; and 2 more"}


def test_a_kid_adds_no_header_and_no_line() -> None:
    keys = notes_on([SkippedKey(0, "é\r\nSet-Cookie: a=b", KeyRefusal.WEAK, "weak: RSA of 1024 bits")])
    assert notice(keys) == {
        "Keyturn-Notice": "jwks.string: key 0 (???Set-Cookie: a=b) is skipped: weak: RSA of 1024 bits"
    }
