"""The trace context of an event."""

import msgspec
import pytest

from keyturn_shared.events import ClientDeleted, decode_event, encode_event
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner
from keyturn_shared.signed_log.verifier import LogVerifier
from keyturn_shared.tracing.event_context import context_of

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
EVENT = ClientDeleted(
    sequence=7,
    id="event-7",
    occurred_at=0.0,
    realm_id="r",
    realm="acme",
    client_uuid="u",
    client_id="billing",
)


def _with(traceparent: object) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(EVENT) | {"traceparent": traceparent})


def test_an_event_without_a_trace_has_not_even_the_member() -> None:
    assert b"traceparent" not in encode_event(EVENT)
    assert context_of(encode_event(EVENT)) is None


def test_the_context_of_an_event_is_read_from_it() -> None:
    context = context_of(encode_event(msgspec.structs.replace(EVENT, traceparent=TRACEPARENT)))
    assert context is not None
    assert (context.type, context.event_id, context.sequence) == ("client_deleted", "event-7", 7)
    assert context.transaction == TRACEPARENT


def test_a_reader_that_does_not_know_the_member_reads_the_same_event() -> None:
    """So do nodes of earlier releases."""

    class Former(msgspec.Struct, tag_field="type", tag="client_deleted"):
        sequence: int
        id: str
        touches: tuple[str, ...] = ()

    assert msgspec.json.decode(_with(TRACEPARENT), type=Former) == Former(7, "event-7")


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        TRACEPARENT.upper(),
        TRACEPARENT + "-more",
        TRACEPARENT[:-1],
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
        7,
        None,
        {"traceparent": TRACEPARENT},
    ],
)
def test_a_context_that_cannot_be_read_costs_the_trace_and_not_the_event(traceparent: object) -> None:
    assert context_of(_with(traceparent)) is None
    assert decode_event(_with(traceparent)).sequence == 7


def test_text_of_a_caller_that_looks_like_the_member_is_none() -> None:
    event = msgspec.structs.replace(EVENT, client_id=f'","traceparent":"{TRACEPARENT}')
    assert context_of(encode_event(event)) is None


def test_what_is_no_event_has_no_context() -> None:
    assert context_of(b'\xff"traceparent":"') is None


def test_a_publication_has_an_id_of_its_own_that_follows_from_the_event() -> None:
    first = context_of(_with(TRACEPARENT))
    assert first is not None
    assert first.publication_id == first.publication_id != int("00f067aa0ba902b7", 16)
    version, trace_id, span_id, flags = first.publication.split("-")
    assert (version, trace_id, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01")
    assert span_id == f"{first.publication_id:016x}"
    other = msgspec.structs.replace(EVENT, id="event-8", traceparent=TRACEPARENT)
    second = context_of(encode_event(other))
    assert second is not None
    assert second.publication_id != first.publication_id


@pytest.mark.parametrize("forged", [b"", TRACEPARENT.replace("4bf9", "4bf8").encode()])
def test_a_context_that_somebody_else_wrote_is_a_forged_event(forged: bytes) -> None:
    """It was changed, or put into an event that had none."""
    keys = LogSigningKeys.from_text(KeyRing.generate_key())
    signer, verifier = LogSigner(keys, "log"), LogVerifier(keys.verification(), "log")
    signed = signer.event(7, _with(TRACEPARENT))
    assert context_of(verifier.event(7, signed)) == context_of(_with(TRACEPARENT))
    with pytest.raises(ForgedError):
        verifier.event(7, signed.replace(TRACEPARENT.encode(), forged))
    without = signer.event(7, encode_event(EVENT))
    with pytest.raises(ForgedError):
        verifier.event(7, without.replace(b"{", b'{"traceparent":"%b",' % TRACEPARENT.encode(), 1))
