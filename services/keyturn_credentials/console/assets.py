"""The console's files, read once. Only these can be served: no path is opened because of a request."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

PAGE: Final = "index.html"
_MODULES: Final = b"<!-- modules -->"
_BASE: Final = "/console/static/"
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True)
class Asset:
    """``etag`` is that of the content; ``compressed`` is the same by gzip."""

    content: bytes
    compressed: bytes
    media_type: str
    etag: str


@cache
def assets() -> dict[str, Asset]:
    """By their paths below ``static``."""
    found: dict[str, bytes] = {}
    _collect(files("keyturn_credentials.console") / "static", "", found)
    found[PAGE] = found[PAGE].replace(_MODULES, _preloads(found))
    return {path: _asset(path, content) for path, content in found.items()}


def _collect(folder: Traversable, prefix: str, found: dict[str, bytes]) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            _collect(entry, f"{prefix}{entry.name}/", found)
        else:
            found[f"{prefix}{entry.name}"] = entry.read_bytes()


def _preloads(found: dict[str, bytes]) -> bytes:
    """Links for all modules, so that they come at once and not import by import."""
    modules = sorted(path for path in found if path.endswith(".js"))
    return "\n    ".join(f'<link rel="modulepreload" href="{_BASE}{path}">' for path in modules).encode()


def _asset(path: str, content: bytes) -> Asset:
    return Asset(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        media_type=mimetypes.guess_type(path)[0] or "application/octet-stream",
        etag=hashlib.sha256(content).hexdigest()[:20],
    )
