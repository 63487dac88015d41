"""The page to show after a sign-in: only ever one of the console's own. Pure."""

import re
from typing import Final

HOME: Final = "/console/"
MAX_CHARACTERS: Final = 1024
_PATH: Final = re.compile(
    r"/console(?:/[A-Za-z0-9._~%!$&'()*+,;=:@-]*)*(?:\?[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*)?"
)
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?:[/?]|$)", re.IGNORECASE)
_NOT_PAGES: Final = ("/console/oidc", "/console/session", "/console/sign-in", "/console/static")


def own_path(text: str | None) -> str:
    """Return path and query of a page of the console, as given; those of the first page for anything else:
    another host or scheme, a path that leads out, an address that is no page."""
    if text is None or len(text) > MAX_CHARACTERS or not _PATH.fullmatch(text) or "//" in text:
        return HOME
    if _DOTS.search(text.partition("?")[0]) or text.startswith(_NOT_PAGES):
        return HOME
    return text
