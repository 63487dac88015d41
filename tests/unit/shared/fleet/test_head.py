"""The head, parsed from its hash in Redis."""

import pytest

from keyturn_shared.fleet.head import Head
from keyturn_shared.position import Position

WHOLE = {
    "epoch": "7",
    "sequence": "12",
    "event_id": "e",
    "complete": "1",
    "vouched": "run",
    "lease_ms": "10000",
    "margin_ms": "1000",
    "waits_after": "21",
    "opened_at": "22",
    "base_sequence": "3",
    "stamped_at": "23",
    "replay_barrier": "24",
    "closed_nonce": "nonce",
    "statement": "signed",
}


def test_each_field_is_read_from_its_own() -> None:
    assert Head.from_hash(WHOLE, "run") == Head(
        position=Position(7, 12),
        event_id="e",
        complete=True,
        trusted=True,
        lease_ms=10_000,
        margin_ms=1_000,
        waits_after=21,
        opened_at=22,
        base_sequence=3,
        stamped_at=23,
        replay_barrier=24,
        closed_nonce="nonce",
        statement=b"signed",
    )


@pytest.mark.parametrize("fields", [{"epoch": "7"}, dict.fromkeys(WHOLE, "") | {"epoch": "7"}])
def test_what_is_missing_or_empty_is_nothing(fields: dict[str, str]) -> None:
    assert Head.from_hash(fields, "run") == Head(
        position=Position(7, 0),
        event_id="",
        complete=False,
        trusted=False,
        lease_ms=0,
        margin_ms=0,
        waits_after=0,
        opened_at=0,
        base_sequence=0,
        stamped_at=0,
        replay_barrier=0,
        closed_nonce=None,
        statement=b"",
    )


def test_an_empty_redis_has_no_head() -> None:
    assert Head.from_hash({}, "run") is None


@pytest.mark.parametrize(
    ("vouched", "run_id", "trusted"),
    [
        ("run", "run", True),
        ("another", "run", False),
        ("", "run", False),
        ("", "", False),
        ("run", "", False),
    ],
)
def test_only_the_process_that_the_relay_vouched_for_is_trusted(
    vouched: str, run_id: str, trusted: bool
) -> None:
    head = Head.from_hash({"epoch": "7", "vouched": vouched}, run_id)
    assert head is not None
    assert head.trusted is trusted


@pytest.mark.parametrize("written", ["0", "true", "2"])
def test_an_epoch_is_complete_only_when_it_says_so(written: str) -> None:
    head = Head.from_hash({"epoch": "7", "complete": written}, "run")
    assert head is not None
    assert not head.complete
