"""Realm names that people would confuse. Pure.

Names are ASCII, so confusables of other scripts, full-width letters and spaces are already refused. What
remains is case and the few look-alikes within ASCII (Unicode Technical Standard 39, section 4).
"""

from collections.abc import Iterable
from typing import Final

from keyturn_credentials.errors import ConflictError

_ALIKE: Final = (("0", "o"), ("1", "l"), ("rn", "m"), ("vv", "w"))


def require_distinct(name: str, others: Iterable[str]) -> None:
    """Raise ConflictError if another realm's name looks like this one."""
    cases, shapes = name.casefold(), _shape(name)
    for other in others:
        if other != name and (other.casefold() == cases or _shape(other) == shapes):
            raise ConflictError(
                f"the realm's name {name} is too similar to that of another realm: they differ only in"
                " upper and lower case or in characters that look alike"
                " (0 and o, 1, l and I, rn and m, vv and w)"
            )


def _shape(name: str) -> str:
    text = name.replace("I", "l").casefold()
    for seen, meant in _ALIKE:
        text = text.replace(seen, meant)
    return text
