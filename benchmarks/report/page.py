"""The generated parts of a page, between comments: ``<!-- bench:NAME -->`` and ``<!-- /bench:NAME -->``."""

import re
from typing import Final

_MARKER: Final = re.compile(r"^<!-- (/?)bench:([a-z_]+) -->$", re.MULTILINE)


class PageError(Exception):
    """The markers of a page do not match."""


def parts_of(page: str) -> list[str]:
    """Return the names of all parts, in order. Raises PageError for a marker without its other half, one
    within another part, and a part that is there twice."""
    names: list[str] = []
    is_open = False
    for marker in _MARKER.finditer(page):
        ends, name = marker[1] == "/", marker[2]
        if ends != is_open or (ends and name != names[-1]):
            raise PageError(f"the marker {marker[0]} is not where it can be")
        if not ends:
            if name in names:
                raise PageError(f"the page has two parts {name}")
            names.append(name)
        is_open = not ends
    if is_open:
        raise PageError(f"the part {names[-1]} has no end")
    return names


def replace_part(page: str, name: str, text: str) -> str:
    """Return the page with this text as the part, and everything else as it was. Raises PageError."""
    if name not in parts_of(page):
        raise PageError(f"the page has no part {name}")
    begin, end = f"<!-- bench:{name} -->\n", f"<!-- /bench:{name} -->"
    before, _, rest = page.partition(begin)
    return f"{before}{begin}{text.strip()}\n{end}{rest.partition(end)[2]}"
