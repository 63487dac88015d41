"""A receiver of webhooks, who checks them with the reference implementation of Standard Webhooks and decrypts
with jwcrypto."""

import base64
import json
import os
import ssl
from pathlib import Path
from typing import Any

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from keyturn.agent.sinks.settings import WebhookSettings
from tests.testkit.http_receiver import Answer, Receiver, Request


class Subscriber(Receiver):
    """``events``: each by its id, with the decrypted secret. ``key``: its key pair."""

    def __init__(self, directory: Path, key: JWK | None = None, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._answer, tls)
        self.signing = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
        self.key = key or JWK.generate(kty="EC", crv="P-256", kid="orders-1")
        self.events: dict[str, dict[str, Any]] = {}
        self.secret_file, self.key_file = directory / "signing", directory / "receiver.jwk"
        self.secret_file.write_text(self.signing)
        self.key_file.write_text(self.key.export_public())

    @property
    def settings(self) -> WebhookSettings:
        return WebhookSettings(
            url=f"{self.url}/hooks/secrets?for=orders",
            secret_file=str(self.secret_file),
            key_file=str(self.key_file),
        )

    def _answer(self, request: Request) -> Answer:
        if (request.method, request.target) != ("POST", "/hooks/secrets?for=orders"):
            return Answer(404)
        if request.headers["content-type"] != "application/json":
            return Answer(415)
        try:
            event = Webhook(self.signing).verify(request.body, request.headers)
        except WebhookVerificationError:
            return Answer(401)
        assert event.keys() == {"type", "timestamp", "data"}
        assert event["data"].keys() == {"issuer", "client_id", "secret"}
        self.events[request.headers["webhook-id"]] = event | {"secret": self.decrypt(event["data"]["secret"])}
        return Answer(204)

    def decrypt(self, compact: str) -> str:
        """Return what is in a JWE. Raises errors of jwcrypto."""
        found = JWE(algs=["ECDH-ES+A256KW", "RSA-OAEP-256", "A256GCM"])
        found.deserialize(compact, self.key)
        return bytes(found.payload).decode()


def protected_header(compact: str) -> Any:
    """Return the header of a compact JWE."""
    segment = compact.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
