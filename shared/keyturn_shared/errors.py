"""The root of keyturn's errors: a stable code for machines, a detail for operators."""

from typing import ClassVar


class KeyturnError(Exception):
    """Base of every error that keyturn raises on purpose. ``code`` is stable and safe to show. ``detail`` is
    for logs and may name the invalid value. Neither ever contains a secret or a private key."""

    code: ClassVar[str] = "keyturn_error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.code)
        self.detail = detail or self.code


class ConfigurationError(KeyturnError):
    """A setting is missing or invalid; nothing was started."""

    code = "configuration"


class RedisUnavailableError(KeyturnError):
    """Redis did not answer in time, or its state is not usable for the fleet."""

    code = "redis_unavailable"
