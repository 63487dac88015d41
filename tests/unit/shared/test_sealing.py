"""Encryption and digests: bound to key and context, rotated online, hidden in output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing, SealError

OLD, NEW = b"o" * 32, b"n" * 32


def ring(*keys: bytes, purpose: str = "fleet") -> KeyRing:
    return KeyRing(keys, purpose=purpose)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_was_sealed_opens_in_its_context(plaintext: bytes, context: str) -> None:
    assert ring(NEW).open(ring(NEW).seal(plaintext, context), context) == plaintext


@given(st.binary(max_size=64), st.data())
def test_no_altered_seal_opens(plaintext: bytes, data: st.DataObject) -> None:
    sealed = ring(NEW).seal(plaintext, "c")
    place = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_.").filter(lambda c: c != sealed[place]))
    altered = sealed[:place] + letter + sealed[place + 1 :]
    try:
        assert ring(NEW).open(altered, "c") == plaintext  # only unused trailing bits of base64 may differ
    except SealError:
        return
    assert place == len(sealed) - 1


def test_a_seal_moved_to_another_context_does_not_open() -> None:
    with pytest.raises(SealError):
        ring(NEW).open(ring(NEW).seal(b"x", "client:1"), "client:2")


def test_the_first_key_seals_and_the_others_still_open() -> None:
    sealed = ring(OLD).seal(b"x", "c")
    rotated = ring(NEW, OLD)
    assert rotated.open(sealed, "c") == b"x"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.seal(b"x", "c"))


def test_a_key_taken_out_of_the_ring_opens_nothing() -> None:
    with pytest.raises(SealError):
        ring(NEW).open(ring(OLD).seal(b"x", "c"), "c")


def test_rings_of_different_purposes_do_not_open_each_others_seals() -> None:
    with pytest.raises(SealError):
        ring(NEW, purpose="fleet").open(ring(NEW, purpose="encryption").seal(b"x", "c"), "c")


def test_a_digest_matches_its_secret_in_its_context_only() -> None:
    digest = ring(OLD).digest("s3cret", "client:1")
    rotated = ring(NEW, OLD)
    assert rotated.matches("s3cret", digest, "client:1")
    assert not rotated.matches("s3cret ", digest, "client:1")
    assert not rotated.matches("s3cret", digest, "client:2")


def test_context_and_secret_cannot_be_shifted_into_each_other() -> None:
    assert not ring(NEW).matches("cab", ring(NEW).digest("ab", "cc"), "c")


@pytest.mark.parametrize("text", ["", "short", "!!!", "AAAA,", "A" * 43 + ",x"])
def test_unusable_keys_are_refused_with_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        KeyRing.from_text(text, purpose="fleet")


def test_generated_keys_are_taken() -> None:
    text = f"{KeyRing.generate_key()}, {KeyRing.generate_key()}"
    assert KeyRing.from_text(text, purpose="fleet").open(
        KeyRing.from_text(text, purpose="fleet").seal(b"x", ""), ""
    )


def test_a_ring_prints_key_ids_only() -> None:
    printed = repr(ring(NEW)) + repr(ring(NEW)._first)
    assert "nnn" not in printed


@pytest.mark.parametrize("value", ["", "1", "not base64url"])
def test_what_is_no_seal_is_of_no_key(value: str) -> None:
    ring = KeyRing.from_text(KeyRing.generate_key(), purpose="encryption")
    assert KeyRing.key_id_of(value) == ""
    assert not ring.knows(value)
    assert ring.is_current(ring.seal(b"x", "c", like=value))
