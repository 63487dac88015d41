"""Webhooks after Standard Webhooks 1.0, with the secret as a JWE."""

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
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.standard_webhooks import FORM, WebhookKeys

EVENT: Final = "client.secret.rotated"
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
        signed = keys.headers(f"msg_{delivery.id}", int(self._now()), body)
        headers = {"Content-Type": "application/json", **signed}
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


def _signing_keys(path: str) -> WebhookKeys:
    """Return the signing secrets in a file. Raises SinkError."""
    try:
        return WebhookKeys.from_text(read_credential(path))
    except ConfigurationError as error:
        raise SinkError(f"{path} is not a file of signing secrets: {FORM}") from error
