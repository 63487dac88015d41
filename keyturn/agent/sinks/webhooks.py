"""Webhooks after Standard Webhooks 1.0, with the secret as a JWE."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from keyturn.agent.sinks.content import Client
from keyturn.agent.sinks.delivery import Delivery, Notes, SinkDisabledError, SinkError
from keyturn.agent.sinks.encryption import encrypt, require_encryption
from keyturn.agent.sinks.http import client as http_client
from keyturn.agent.sinks.http import read_credential, refusal
from keyturn.agent.sinks.settings import WebhookSettings

EVENT: Final = "client.secret.rotated"
_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)
_A_DAY: Final = 24 * 3600.0


class WebhookSink:
    """Sends the secret to a receiver, as a JWE for its key. A delivery is tried for a day, with the same
    ``webhook-id``. Raises MissingExtraError. ``now``: seconds of Unix time."""

    patience: float | None = _A_DAY

    def __init__(
        self, settings: WebhookSettings, client: Client, *, now: Callable[[], float] = time.time
    ) -> None:
        require_encryption()
        self.label = settings.label
        self.settings = msgspec.json.encode((settings, client))
        self._settings = settings
        self._client = client
        self._now = now

    async def deliver(self, delivery: Delivery) -> Notes:
        """Send it once. Raises SinkDisabledError on 410, SinkError, and errors of httpx."""
        keys = _signing_keys(self._settings.secret_file)
        body = self._body(delivery)
        id_, timestamp = f"msg_{delivery.id}", str(int(self._now()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(sign(key, id_, timestamp, body) for key in keys),
        }
        url = self._settings.url
        async with (
            http_client(url, self._settings.ca_file) as http,
            http.stream("POST", url, headers=headers, content=body) as answer,
        ):
            pass  # the body of the response is not read, however long it is
        if answer.status_code == 410:
            raise SinkDisabledError("the receiver answers 410, it wants no more webhooks")
        if not answer.is_success:
            raise refusal(answer, "the receiver")
        return {}

    def _body(self, delivery: Delivery) -> bytes:
        event = {
            "type": EVENT,
            "timestamp": datetime.fromtimestamp(delivery.since, UTC).isoformat().replace("+00:00", "Z"),
            "data": {
                "issuer": self._client.issuer,
                "client_id": self._client.client_id,
                "secret": encrypt(delivery.secret, self._settings.key_file),
            },
        }
        return json.dumps(event, separators=(",", ":")).encode()


def sign(key: bytes, id_: str, timestamp: str, body: bytes) -> str:
    """Return a signature with HMAC-SHA256, ``v1,…`` (Standard Webhooks, "Signature scheme")."""
    signed = b".".join((id_.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _signing_keys(path: str) -> list[bytes]:
    """Return the signing secrets in a file. Several are for the time of their rotation. Raises SinkError."""
    keys = []
    for line in read_credential(path).split():
        try:
            key = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not line.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
            raise SinkError(f"{path} is not a file of signing secrets: whsec_ and 24 to 64 bytes in base64")
        keys.append(key)
    return keys
