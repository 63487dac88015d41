"""The event contract: golden JSON pins every type, and readers tolerate unknown types."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from keyturn_shared import events
from keyturn_shared.events import Event, KnownEvent, UnknownEvent, decode_event, encode_event

GOLDEN = Path(__file__).parent / "golden"

_common: dict[str, Any] = {
    "sequence": 42,
    "id": "0b1f3c1e-6d1c-4b56-9f7a-2d1f3c1e6d1c",
    "occurred_at": 1795485000.25,
}
_realm: dict[str, Any] = {"realm_id": "5f0c9e6e-54a4-4f3f-9a5c-000000000001", "realm": "acme"}
_client: dict[str, Any] = {
    **_realm,
    "client_uuid": "5f0c9e6e-54a4-4f3f-9a5c-000000000002",
    "client_id": "billing",
}
_touch_realm: dict[str, Any] = {"touches": ("realm:acme",)}
_touch_client: dict[str, Any] = {"touches": ("client:5f0c9e6e-54a4-4f3f-9a5c-000000000001:billing",)}

EXAMPLES: tuple[Event, ...] = (
    events.EpochOpened(**_common, reason="redis_empty"),
    events.RealmCreated(**_common, **_realm, **_touch_realm),
    events.RealmUpdated(**_common, **_realm, **_touch_realm),
    events.RealmDeleted(**_common, **_realm, **_touch_realm),
    events.RealmKeysRotated(**_common, **_realm, **_touch_realm, active_kid="k2"),
    events.RealmKeysCacheCleared(**_common, **_realm, **_touch_realm),
    events.ClientCreated(**_common, **_client, **_touch_client),
    events.ClientUpdated(**_common, **_client, **_touch_client, previous_client_id="invoices"),
    events.ClientDeleted(**_common, **_client, **_touch_client),
    events.ClientSecretRotated(**_common, **_client, **_touch_client, former_valid_until=1795571400.0),
    events.ClientSecretRevoked(**_common, **_client, **_touch_client),
    events.ClientKeysChanged(**_common, **_client, **_touch_client, source="jwks_url"),
    events.ClientKeyRevoked(
        **_common, **_client, **_touch_client, thumbprint="NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    ),
    events.ClientKeysCacheCleared(**_common, **_client, **_touch_client),
    events.ClientRotationFailed(
        **_common,
        **_client,
        **_touch_client,
        rotation="5b0f9a52-1c7e-4c53-9d6e-2f0f5a0f6d11",
        kind="key",
        reason="no_usable_key",
    ),
    events.TokenRevoked(
        **_common,
        **_client,
        **_touch_client,
        token_digest="f3b7c1a2d4e5968778695a4b3c2d1e0f",
        expires_at=1795485300.0,
    ),
)


def name_of(event: Event) -> str:
    return str(event.__struct_config__.tag)


def test_every_known_event_has_a_golden_example() -> None:
    assert {type(event) for event in EXAMPLES} == set(get_args(KnownEvent))
    assert {path.stem for path in GOLDEN.glob("*.json")} == {name_of(event) for event in EXAMPLES}


@pytest.mark.parametrize("event", EXAMPLES, ids=name_of)
def test_an_event_is_written_exactly_as_its_golden_file_says(event: Event) -> None:
    golden = json.loads((GOLDEN / f"{name_of(event)}.json").read_text())
    assert json.loads(encode_event(event)) == golden


@pytest.mark.parametrize("event", EXAMPLES, ids=name_of)
def test_a_golden_file_reads_back_as_its_event(event: Event) -> None:
    assert decode_event((GOLDEN / f"{name_of(event)}.json").read_bytes()) == event


def test_a_traced_event_has_one_member_more() -> None:
    """An event that is not traced has none for it: its golden file is as before there were traces."""
    traced = msgspec.structs.replace(
        next(event for event in EXAMPLES if isinstance(event, events.ClientSecretRotated)),
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    golden = (GOLDEN / "traced" / "client_secret_rotated.json").read_bytes()
    assert json.loads(encode_event(traced)) == json.loads(golden)
    assert decode_event(golden) == traced


def test_fields_added_later_do_not_disturb_this_reader() -> None:
    written = json.loads(encode_event(EXAMPLES[1])) | {"added_in_a_later_release": [1, 2]}
    assert decode_event(json.dumps(written).encode()) == EXAMPLES[1]


def test_an_unknown_type_still_says_what_it_touches() -> None:
    written = json.loads(encode_event(EXAMPLES[-1])) | {"type": "client_frozen"}
    event = decode_event(json.dumps(written).encode())
    assert isinstance(event, UnknownEvent)
    assert event.type == "client_frozen"
    assert event.touches == _touch_client["touches"]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"type":"client_created"}', b"\xff", b'{"sequence":1}']
)
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_event(data)
