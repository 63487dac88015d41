"""Signed data is accepted only unchanged, in its place, and from its author."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.fleet.partitions import ONE_PARTITION, Partitioning
from keyturn_shared.jose import base64url
from keyturn_shared.projection import ProjectionError, projection_value
from keyturn_shared.signed_log.envelope import attach, detach, signature_of
from keyturn_shared.signed_log.errors import ForgedError, UnsignedError
from keyturn_shared.signed_log.head import HeadStatement, event_name, names_of, read_head_statement
from keyturn_shared.signed_log.keys import (
    FETCHER,
    SIGNATURE_CHARACTERS,
    LogSigningKeys,
    LogVerificationKeys,
)
from keyturn_shared.signed_log.messages import (
    event_message,
    head_message,
    key_set_message,
    projection_message,
)
from keyturn_shared.signed_log.signer import LogSigner
from keyturn_shared.signed_log.verifier import LogVerifier

LOG, OTHER_LOG = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
OLD, NEW = b"o" * 32, b"n" * 32
KEYS = LogSigningKeys([OLD])
SIGNER = LogSigner(KEYS, LOG)
VERIFIER = LogVerifier(KEYS.verification(), LOG)
BODY = b'{"id":"r1","name":"acme"}'
GOLDEN_PROJECTION = (
    b"ced423b5.PhwJxoiksoPWYO3yhlhcy8AyI251ck9m8PSMG7-HQ-LP85po1LOT_yVMxLzbxnq4WqqWSPk2BKfBzkWpkn-QCA"
)
GOLDEN_EVENT = (
    b"ced423b5.C3p-Y1Rh0eZzkJ8IfmF-es2yuYnuDWsYjOpQgAdLOXsSn8nad9LJGXs34CGpHXy45OH4ao-5CAX7hwe763_AAg"
)
GOLDEN_HEAD = (
    b"ced423b5.SsO99SfY6zNt_ebeTjpBwcggx3W85UWCYeVYrUaKwoVN6vXD71E9E3mn96zA9PiFzl6GdcAq-YEQFHPJWCGRBA"
)
GOLDEN_PUBLIC = "yG0BrYsvtpSyL_YOPJ2eftkNtWBHcrdEUNQJE7mpy68"


def value(field: str = "realm:acme", sequence: int = 7, body: bytes = BODY) -> bytes:
    return projection_value(sequence, SIGNER.projection(field, sequence, body))


def test_a_signature_is_the_same_for_ever() -> None:
    """Golden: every later release must accept what one release has signed."""
    assert SIGNER.projection("realm:acme", 7, BODY) == (
        b'{"id":"r1","name":"acme","signature":"' + GOLDEN_PROJECTION + b'"}'
    )
    assert SIGNER.event(7, b"{}") == b'{"signature":"' + GOLDEN_EVENT + b'"}'
    assert SIGNER.head(9, sequence=7, at=5, recent="abcdefgh") == (
        f"{LOG} 9 7 5 abcdefgh ".encode() + GOLDEN_HEAD
    )
    assert KEYS.public_keys == GOLDEN_PUBLIC


def test_a_projection_is_given_as_it_was_before_it_was_signed() -> None:
    assert VERIFIER.projection("realm:acme", value()) == (7, projection_value(7, BODY))


def test_a_reader_of_a_former_release_sees_one_member_more() -> None:
    number, _, signed = value().partition(b":")
    assert number == b"7"
    assert json.loads(signed) | {"signature": ""} == json.loads(BODY) | {"signature": ""}


@pytest.mark.parametrize(
    ("field", "forged"),
    [
        ("realm:other", value()),
        ("realm:acme", b"8" + value()[1:]),
        ("realm:acme", value().replace(b"acme", b"evil")),
        ("realm:acme", projection_value(7, LogSigner(KEYS, OTHER_LOG).projection("realm:acme", 7, BODY))),
        (
            "realm:acme",
            projection_value(7, LogSigner(LogSigningKeys([NEW]), LOG).projection("realm:acme", 7, BODY)),
        ),
        ("realm:acme", projection_value(7, SIGNER.event(7, BODY))),
        ("realm:acme", value()[:-3] + b"!" + value()[-2:]),
    ],
    ids=[
        "another field",
        "another sequence",
        "another body",
        "another log",
        "another key",
        "an event",
        "spoilt",
    ],
)
def test_what_was_signed_as_something_else_is_forged(field: str, forged: bytes) -> None:
    with pytest.raises(ForgedError):
        VERIFIER.projection(field, forged)


def test_what_bears_no_signature_is_said_so() -> None:
    with pytest.raises(UnsignedError):
        VERIFIER.projection("realm:acme", projection_value(7, BODY))
    with pytest.raises(UnsignedError):
        VERIFIER.event(7, b"")
    with pytest.raises(ProjectionError):
        VERIFIER.projection("realm:acme", SIGNER.projection("realm:acme", 7, BODY))


def test_an_event_is_believed_at_its_own_place_only() -> None:
    signed = SIGNER.event(7, BODY)
    assert VERIFIER.event(7, signed) == BODY
    with pytest.raises(ForgedError):
        VERIFIER.event(8, signed)


@given(st.dictionaries(st.text(), st.text(), max_size=4))
def test_a_signature_comes_off_as_it_was_put_on(members: dict[str, str]) -> None:
    body = json.dumps(members, separators=(",", ":")).encode()
    signature = b"s" * SIGNATURE_CHARACTERS
    assert detach(attach(body, signature)) == (body, signature)


@given(st.binary(max_size=300))
def test_no_octets_break_the_reader(octets: bytes) -> None:
    with pytest.raises(ForgedError):
        VERIFIER.event(1, octets)
    with pytest.raises(ForgedError):
        read_head_statement(octets, KEYS.verification())


@given(st.text(max_size=9), st.text(max_size=9), st.integers(0, 99), st.integers(0, 99))
def test_no_two_statements_have_the_same_octets(one: str, other: str, first: int, second: int) -> None:
    mine = projection_message(LOG, one, first, other.encode())
    theirs = projection_message(LOG, other, second, one.encode())
    assert (mine == theirs) == ((one, first) == (other, second))
    assert mine != event_message(LOG, first, other.encode())


def test_a_key_is_rotated_while_both_are_trusted() -> None:
    both = LogSigningKeys([NEW, OLD])
    trusting = LogVerificationKeys.from_text(both.public_keys)
    former = SIGNER.projection("f", 1, BODY)
    renewed = LogSigner(both, LOG).projection("f", 1, former)
    for signed in (former, renewed):
        assert LogVerifier(trusting, LOG).projection("f", projection_value(1, signed))[0] == 1
    assert renewed != former, "what a former key signed is signed anew"
    assert LogSigner(both, LOG).projection("f", 1, renewed) is renewed
    with pytest.raises(ForgedError):
        LogVerifier(LogSigningKeys([NEW]).verification(), LOG).projection("f", projection_value(1, former))
    assert signature_of(renewed) != signature_of(former)


def test_a_statement_about_the_head_says_which_log_it_is() -> None:
    recent = names_of([(6, "six"), (7, "seven")])
    stated = read_head_statement(SIGNER.head(9, sequence=7, at=5, recent=recent), KEYS.verification())
    assert stated == HeadStatement(LOG, 9, 7, 5, recent)
    assert stated.knows(6, "six")
    assert not stated.knows(6, "another six")
    assert not stated.knows(7, "six")
    assert len(event_name(1, "x")) == len(recent) // 2


@pytest.mark.parametrize("recent", ["", "abcdefgh"])
def test_a_statement_about_the_head_says_where_used_assertions_are_marked(recent: str) -> None:
    partitioning = Partitioning((1, 16))
    signed = SIGNER.head(9, sequence=7, at=5, recent=recent, partitioning=partitioning)
    assert read_head_statement(signed, KEYS.verification()).partitioning == partitioning


def test_with_one_partition_a_statement_is_as_releases_without_partitions_know_it() -> None:
    signed = SIGNER.head(9, sequence=7, at=5, recent="", partitioning=ONE_PARTITION)
    assert signed == SIGNER.head(9, sequence=7, at=5, recent="")
    assert signed.startswith(f"{LOG} 9 7 5  ".encode())


@pytest.mark.parametrize("told", ["0", "4,1", "65", "1,1", ",", "1,2,3,4,5,6,7,8,9"])
def test_a_signed_statement_with_impossible_partitions_is_refused(told: str) -> None:
    text = f"{LOG} 9 7 5  {told}".encode()
    with pytest.raises(ForgedError):
        read_head_statement(text + b" " + KEYS.sign(head_message(text)), KEYS.verification())


def test_an_event_is_known_by_its_whole_name_wherever_it_stands() -> None:
    events = [(number, f"id-{number}") for number in range(1, 65)]
    stated = HeadStatement(LOG, 9, 64, 5, names_of(events))
    assert all(stated.knows(*event) for event in events)
    shifted = f"AAAA{names_of(events[:2])}AAAA"
    assert not any(HeadStatement(LOG, 9, 64, 5, shifted).knows(*event) for event in events)


@pytest.mark.parametrize("text", ["", "short", "-" * 44, ",", base64url.encode_text(b"x" * 31)])
@pytest.mark.parametrize("kind", [LogSigningKeys, LogVerificationKeys])
def test_keys_that_are_none_are_refused(text: str, kind: type[LogSigningKeys | LogVerificationKeys]) -> None:
    with pytest.raises(ConfigurationError):
        kind.from_text(text)


def test_without_keys_of_its_own_a_deployment_has_those_of_its_fleet_keys() -> None:
    fleet = ",".join(base64url.encode_text(octet * 32) for octet in (b"a", b"b"))
    derived = LogSigningKeys.derived_from(fleet)
    message = derived.sign(b"m")
    LogSigningKeys.derived_from(fleet).verification().verify(b"m", message)
    assert LogSigningKeys.derived_from(fleet[:43]).public_keys == derived.public_keys.split(",")[0]


def test_private_keys_do_not_print() -> None:
    assert base64url.encode_text(OLD) not in repr(KEYS)
    assert "o" * 32 not in repr(KEYS)


def test_keys_that_are_derived_are_the_same_for_ever() -> None:
    """Golden: with others, nodes would believe nothing after an upgrade."""
    fleet = base64url.encode_text(b"a" * 32)
    assert LogSigningKeys.derived_from(fleet).public_keys == "LLm5eqL19JrzpawiTBr-rIok5PD1Fp2CjTqU2Y91OZk"
    assert (
        LogSigningKeys.derived_from(fleet, FETCHER).public_keys
        == "cq268D9-tNAqu0SU86g_B3VP9OPWjPqcwbe9a_KEMxw"
    )


def test_a_made_key_is_one_that_can_be_set() -> None:
    made = {LogSigningKeys.generate_key() for _ in range(3)}
    assert len(made) == 3
    for text in made:
        LogSigningKeys.from_text(text)


def test_the_key_that_signs_now_is_the_first_alone() -> None:
    both = LogSigningKeys([NEW, OLD])
    both.first_alone().verify(b"m", LogSigningKeys([NEW]).sign(b"m"))
    with pytest.raises(ForgedError):
        both.first_alone().verify(b"m", LogSigningKeys([OLD]).sign(b"m"))


def test_the_octets_that_are_signed_are_the_same_for_ever() -> None:
    assert projection_message("l", "f\ud800", 7, b"b") == (
        b"\0\0\0\x20keyturn signed log v1 projection\0\0\0\1l\0\0\0\4f\xed\xa0\x80\0\0\0\0017\0\0\0\1b"
    )
    assert key_set_message("an-id", b"body") == (
        b"\0\0\0\x1dkeyturn signed log v1 key set\0\0\0\5an-id\0\0\0\4body"
    )


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"signatur_":"' + b"s" * SIGNATURE_CHARACTERS + b'"}',
        b'{"a":1,"signature":"' + b"s" * SIGNATURE_CHARACTERS + b'"]',
        b'{"a":1,"signature":"' + b"s" * (SIGNATURE_CHARACTERS - 1) + b'"}',
        b"s" * SIGNATURE_CHARACTERS + b'"}',
        b'"}',
        b"",
    ],
)
def test_what_has_no_signature_at_its_end_has_none(text: bytes) -> None:
    assert signature_of(text) is None
    with pytest.raises(UnsignedError):
        detach(text)
