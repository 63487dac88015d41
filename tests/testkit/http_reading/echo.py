"""The application behind the servers: each answer describes, in a field, the message it answers."""

import base64
import json
from typing import Any, Final

from tests.testkit.http_reading.stream import Message

FIELD: Final = b"x-message"


def described(message: Message, names: frozenset[bytes]) -> bytes:
    """Describe a message and the names of its fields in a field value; HEAD has it as well."""
    parts = [message.method, message.target, message.body, *sorted(names)]
    return base64.b64encode(json.dumps([part.decode("latin-1") for part in parts]).encode())


def read_description(value: bytes) -> tuple[Message, frozenset[bytes]]:
    """Return the message and the names of its fields."""
    method, target, body, *names = (part.encode("latin-1") for part in json.loads(base64.b64decode(value)))
    return Message(method, target, body), frozenset(names)


def shortened(body: bytes) -> bytes:
    """Shorten a long body to what a field may hold."""
    return body if len(body) <= 2000 else b"%d octets from %b" % (len(body), body[:20])


async def application(scope: Any, receive: Any, send: Any) -> None:
    """ASGI 3."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    assert scope["type"] == "http", scope["type"]
    body, more = b"", True
    while more:
        part = await receive()
        if part["type"] == "http.disconnect":
            return
        body += part.get("body", b"")
        more = part.get("more_body", False)
    target = scope["path"].encode("latin-1", "replace")
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    message = Message(scope["method"].encode("latin-1"), target, shortened(body))
    names = frozenset(name.lower() for name, _ in scope["headers"])
    headers = [(FIELD, described(message, names)), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"OK"})
