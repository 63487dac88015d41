"""Patterns of subjects at a trusted issuer. Pure.

A subject consists of segments between ``/`` and ``:``. In a pattern, a segment may have one ``*``, which
stands for one or more characters within that segment: it crosses no separator, and matches no space, no
percent sign and nothing outside ASCII. The leading segments, by which an issuer tells its tenants apart, have
none.
"""

import re
from functools import lru_cache
from typing import Final

from keyturn_shared.projection import MAX_SUBJECT_LENGTH

WILDCARD: Final = "*"
_SEPARATORS: Final = re.compile(r"([/:])")
_MATCHED: Final = re.compile(r"[A-Za-z0-9._~@+=-]{1,255}")
_PRINTABLE: Final = re.compile(r"[!-~]+")
_LITERAL: Final = {"spiffe:": 4, "system:serviceaccount:": 3}
"""Leading segments without a wildcard, by prefix: up to the trust domain of a SPIFFE ID, the namespace of a
Kubernetes service account."""
_LITERAL_ELSEWHERE: Final = 2
"""Such as ``repo:octo-org/`` at GitHub, ``project_path:my-group/`` at GitLab."""


class InvalidPatternError(ValueError):
    """The text is not a pattern; the message says why."""


def check_pattern(pattern: str) -> None:
    """Raise InvalidPatternError unless the text is a pattern."""
    if len(pattern) > MAX_SUBJECT_LENGTH or not _PRINTABLE.fullmatch(pattern):
        raise InvalidPatternError(
            f"a pattern must be 1 to {MAX_SUBJECT_LENGTH} printable ASCII characters without spaces"
        )
    parts = _parts(pattern)
    if all(WILDCARD not in part for part in parts):
        raise InvalidPatternError("a pattern must have a *")
    if any(part.count(WILDCARD) > 1 for part in parts):
        raise InvalidPatternError("a segment between / and : may have one *")
    literal = _literal_segments(pattern)
    if any(WILDCARD in segment for segment in parts[::2][:literal]):
        raise InvalidPatternError(f"the first {literal} segments must not have a *: they are the tenant")


def matches(pattern: str, subject: str) -> bool:
    """Return whether a subject matches a pattern. Nothing matches a text that is not a pattern."""
    if len(subject) > MAX_SUBJECT_LENGTH or not _is_pattern(pattern):
        return False
    wanted, given = _parts(pattern), _SEPARATORS.split(subject)
    return len(wanted) == len(given) and all(map(_part_matches, wanted, given))


def _part_matches(wanted: str, given: str) -> bool:
    head, wildcard, tail = wanted.partition(WILDCARD)
    if not wildcard:
        return wanted == given
    if len(given) <= len(head) + len(tail) or not (given.startswith(head) and given.endswith(tail)):
        return False
    matched = given[len(head) : len(given) - len(tail)]
    return given not in (".", "..") and _MATCHED.fullmatch(matched) is not None


@lru_cache(maxsize=4096)
def _parts(pattern: str) -> tuple[str, ...]:
    """Split into segments, with the separators between them."""
    return tuple(_SEPARATORS.split(pattern))


@lru_cache(maxsize=4096)
def _is_pattern(text: str) -> bool:
    try:
        check_pattern(text)
    except InvalidPatternError:
        return False
    return True


def _literal_segments(pattern: str) -> int:
    return next(
        (count for prefix, count in _LITERAL.items() if pattern.startswith(prefix)), _LITERAL_ELSEWHERE
    )
