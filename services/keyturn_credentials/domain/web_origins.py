"""Web origins of a client, for the claim ``allowed-origins``. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

MAX_ORIGINS_BYTES: Final = 2048
"""Size of the claim, as JSON. Longer ones are in no token, which must stay short enough to be read."""

_OF_REDIRECT_URIS: Final = "+"


def allowed_origins(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a client's web origins; none if they are too many for a token."""
    origins = resolved_origins(document)
    return origins if _fits(origins) else ()


def has_too_many_origins(document: Mapping[str, Any]) -> bool:
    """Return whether the client's web origins are too many for a token."""
    return not _fits(resolved_origins(document))


def resolved_origins(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a client's web origins, with those of its redirect URIs in place of ``+``."""
    origins: dict[str, None] = {}
    for entry in _texts(document.get("webOrigins")):
        if entry == _OF_REDIRECT_URIS:
            origins.update(dict.fromkeys(_origins_of_redirect_uris(document)))
        else:
            origins[entry] = None
    return tuple(origins)


def _origins_of_redirect_uris(document: Mapping[str, Any]) -> Iterator[str]:
    root = document.get("rootUrl")
    for uri in _texts(document.get("redirectUris")):
        try:
            parts = urlsplit(f"{root or ''}{uri}" if uri.startswith("/") else uri)
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.netloc:
            yield f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _texts(value: object) -> Iterator[str]:
    yield from (entry for entry in (value if isinstance(value, list) else ()) if isinstance(entry, str))


def _fits(origins: tuple[str, ...]) -> bool:
    return len(msgspec.json.encode(origins)) <= MAX_ORIGINS_BYTES
