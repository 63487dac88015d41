"""The event contract as an AsyncAPI 3.0 document, generated from the event types.

``python -m keyturn_shared.asyncapi`` prints it. A test keeps ``docs/asyncapi.json`` equal to it.
"""

import json
import sys
from typing import Any, get_args

import msgspec

from keyturn_shared import events
from keyturn_shared.fleet.layout import Layout


def document() -> dict[str, Any]:
    """Build the AsyncAPI document: one channel (the stream), one message per event type, JSON Schemas."""
    kinds = get_args(events.KnownEvent)
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    messages = {
        str(kind.__struct_config__.tag): {
            "name": str(kind.__struct_config__.tag),
            "contentType": "application/json",
            "summary": (kind.__doc__ or "").strip(),
            "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        }
        for kind in kinds
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "keyturn events",
            "version": "1",
            "description": (
                "All changes to realms and clients, in order, once. Read with XREAD from your own position. "
                "The entry id is <epoch>-<sequence>: a jump in the sequence is a lost event, a new epoch is "
                "a new fill of Redis. After either, discard what you derived from earlier events. "
                "Handle an unknown type by its 'touches'. The last member, 'signature', is the credentials "
                "service's signature over everything before it: see docs/protocol.md. 'traceparent' names "
                "the trace in which the event was made, if there is one."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": Layout().events,
                "description": (
                    f"Redis stream. Field '{events.MESSAGE_FIELD}' is the event, "
                    f"'{events.PUBLISHED_AT_FIELD}' Redis' clock in ms."
                ),
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "receiveEvents": {"action": "receive", "channel": {"$ref": "#/channels/events"}},
        },
        "components": {"messages": messages, "schemas": schemas},
    }


def main() -> None:
    json.dump(document(), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
