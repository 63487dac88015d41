"""The console's files, read once. Only these can be served: no request opens a path."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

PAGE: Final = "index.html"
BASE: Final = "/console/static/"
_STYLE: Final = "console.css"
_STYLE_PARTS: Final = ("base", "frame", "parts", "pages")
_MODULES: Final = b"<!-- modules -->"
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True)
class Asset:
    """``etag`` is that of the content; ``compressed`` is the same with gzip."""

    content: bytes
    compressed: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Assets:
    """``by_path``: below ``static``. ``version`` names all files together: the page requests its parts under
    it, so that browsers can cache them indefinitely."""

    by_path: dict[str, Asset]
    version: str


@cache
def assets() -> Assets:
    found: dict[str, bytes] = {}
    _collect(files("keyturn_credentials.console") / "static", "", found)
    # The style sheets are joined in this order, so that the page waits for only one file.
    found[_STYLE] = b"\n".join(found.pop(f"css/{part}.css") for part in _STYLE_PARTS)
    everything = hashlib.sha256()
    for path in sorted(found):
        everything.update(b"%s\0%d\0%s" % (path.encode(), len(found[path]), found[path]))
    version = everything.hexdigest()[:16]
    page = found[PAGE].replace(_MODULES, _preloads(found))
    found[PAGE] = page.replace(BASE.encode(), f"{BASE}{version}/".encode())
    return Assets({path: _asset(path, content) for path, content in found.items()}, version)


def _collect(folder: Traversable, prefix: str, found: dict[str, bytes]) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            _collect(entry, f"{prefix}{entry.name}/", found)
        else:
            found[f"{prefix}{entry.name}"] = entry.read_bytes()


def _preloads(found: dict[str, bytes]) -> bytes:
    """Build preload links for all modules, so that they load at once and not import by import."""
    modules = sorted(path for path in found if path.endswith(".js"))
    return "\n    ".join(f'<link rel="modulepreload" href="{BASE}{path}">' for path in modules).encode()


def _asset(path: str, content: bytes) -> Asset:
    return Asset(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        media_type=mimetypes.guess_type(path)[0] or "application/octet-stream",
        etag=hashlib.sha256(content).hexdigest()[:20],
    )
