"""Signatures of webhooks after Standard Webhooks 1.0. Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, Self

from keyturn_shared.errors import ConfigurationError

PREFIX: Final = "whsec_"
KEY_BYTES: Final = range(24, 65)
FORM: Final = "whsec_ and 24 to 64 bytes in base64"


class WebhookKeys:
    """Signing secrets. Several are for the time of their rotation: each makes a signature."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = keys

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read secrets that spaces or line breaks separate. Raises ConfigurationError, without a secret."""
        keys = [_read(part) for part in text.split()]
        if not keys:
            raise ConfigurationError(f"no signing secret is there: {FORM}")
        return cls(keys)

    def headers(self, webhook_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
        """Return the headers of a webhook. ``timestamp``: of this attempt, in seconds of Unix time."""
        signatures = (sign(key, webhook_id, str(timestamp), body) for key in self._keys)
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }


def sign(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    """Return a signature with HMAC-SHA256, ``v1,…`` (Standard Webhooks, "Signature scheme")."""
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _read(text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or len(key) not in KEY_BYTES:
        raise ConfigurationError(f"a signing secret is not of the form {FORM}")
    return key
