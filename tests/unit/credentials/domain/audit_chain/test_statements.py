"""Statements are one line, signed, and whoever changes a character is found."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keyturn_credentials.domain.audit_chain.statements import Reason, key_of, read_base, read_head
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.unit.credentials.domain.audit_chain.chains import KEYS, chain_of

CHAIN = chain_of(2)
TRUSTED = KEYS.verification()
HEAD = CHAIN.head.signed(KEYS)
BASE = CHAIN.base.signed(KEYS)


def test_what_was_signed_is_read() -> None:
    assert read_head(HEAD, TRUSTED) == CHAIN.head
    assert read_base(BASE, TRUSTED) == CHAIN.base
    accepted = replace(CHAIN.base, reason=Reason.ACCEPTED)
    assert read_base(accepted.signed(KEYS), TRUSTED) == accepted


def test_a_line_can_be_kept_anywhere() -> None:
    assert HEAD.isascii()
    assert not any(character in HEAD for character in " \"'\\$`,;")


@given(st.integers(0, len(HEAD) - 1), st.characters(codec="ascii"))
def test_any_other_character_is_found(place: int, character: str) -> None:
    changed = HEAD[:place] + character + HEAD[place + 1 :]
    assume(changed != HEAD)
    with pytest.raises(ForgedError):
        read_head(changed, TRUSTED)


def test_one_kind_does_not_pass_for_the_other() -> None:
    with pytest.raises(ForgedError, match="not a head"):
        read_head(BASE, TRUSTED)
    with pytest.raises(ForgedError, match="not a base"):
        read_base(HEAD, TRUSTED)


@pytest.mark.parametrize(
    "line", ["", "keyturn-audit-head", f"{HEAD}\n", f"{HEAD}:", HEAD.upper(), "x" * 4096]
)
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(ForgedError):
        read_head(line, None)


def test_a_former_key_is_named_and_trusted_only_while_it_is_configured() -> None:
    new = LogSigningKeys([b"n" * 32, b"s" * 32])
    assert key_of(HEAD) == KEYS.current_key_id
    assert key_of(HEAD) in new.key_ids
    assert read_head(HEAD, new.verification()) == CHAIN.head
    with pytest.raises(ForgedError, match="not trusted"):
        read_head(HEAD, LogSigningKeys([b"n" * 32]).verification())
    assert read_head(HEAD, None) == CHAIN.head
