"""Removal of secrets and tokens from texts that servers wrote, for the report. Pure."""

import base64
import html
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

from keyturn_shared.secret import Secret

_MAX_SHOWN: Final = 200
"""Characters of a value in the report."""
_LEAST_SECRET: Final = 4
"""Shorter secrets would hide ordinary words; Keycloak makes none."""
_SECRET_MEMBERS: Final = frozenset({"secret", "client.secret.rotated"})
_TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_-]{6,}[A-Za-z0-9_.-]*")
"""Tokens and assertions: JWS or JWE in compact form, whose header begins with ``{"``."""


class Redaction:
    """Shortens texts, and removes tokens and known secrets from them: as they are, or as a request, JSON or
    HTML has them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        by_length = defaultdict[int, set[str]](set)
        for secret in secrets:
            if len(secret) >= _LEAST_SECRET:
                for form in _forms(secret):
                    by_length[len(form)].add(form)
        self._by_length = dict(by_length)
        self._longest = max(by_length, default=0)

    def __call__(self, value: Any) -> str:
        """Return a value as the report shows it: short, and without a secret."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
        parts, end = [], 0
        for start, stop in sorted(self._spans(text)):
            if start >= _MAX_SHOWN:
                break
            if start >= end:
                parts += [text[end:start], Secret.MASK]
            end = max(end, stop)
        cut = "…" if len(text) > max(end, _MAX_SHOWN) else ""
        return "".join([*parts, text[end:_MAX_SHOWN], cut])

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where secrets are that begin in the part that is shown."""
        read = text[: _MAX_SHOWN + self._longest]
        for length, secrets in self._by_length.items():
            for start in range(len(read) - length + 1):
                if read[start : start + length] in secrets:
                    yield start, start + length
        for token in _TOKEN.finditer(text):
            if token.start() >= _MAX_SHOWN:
                break
            yield token.span()


def secrets_in(value: Any) -> Iterator[str]:
    """Yield every secret of clients in a document, and the credentials of RFC 7617 with it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _SECRET_MEMBERS and isinstance(inner, str):
                yield inner
                if isinstance(value.get("clientId"), str) and len(inner) >= _LEAST_SECRET:
                    yield _basic(value["clientId"], inner)
            else:
                yield from secrets_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from secrets_in(inner)


def _basic(client_id: str, secret: str) -> str:
    sent = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return base64.b64encode(sent.encode()).decode()


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield html.escape(secret)
