"""Access tokens, as token endpoints return them (RFC 6749 section 5.1)."""

import math
from dataclasses import dataclass
from typing import Any

import httpx

from keyturn_shared.errors import KeyturnError


class NoTokenError(KeyturnError):
    """The token endpoint issued no token; ``status`` of its response, with its OAuth error in the detail."""

    code = "no_token"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token, and when it expires (seconds of the caller's clock)."""

    text: str
    expires_at: float

    def __repr__(self) -> str:
        return "AccessToken(***)"

    @classmethod
    def read(cls, answer: httpx.Response, now: float) -> "AccessToken":
        """Read a response. Raises NoTokenError."""
        try:
            body: Any = answer.json()
            text, seconds = body["access_token"], float(body.get("expires_in", 0))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            text, seconds = None, 0.0
        is_token = isinstance(text, str) and text != "" and text.isascii() and text.isprintable()
        if answer.status_code != 200 or not is_token or not math.isfinite(seconds):
            text = "the response has no token" if answer.status_code == 200 else answer.text[:200]
            raise NoTokenError(answer.status_code, f"{answer.status_code}: {text}")
        return cls(text, now + seconds)
