"""Support for each member of Keycloak's representations: supported, refused, or without meaning here.

A member with security meaning in Keycloak is either supported, or the call is refused. The tables that
classify the members are data: ``client_members`` and ``realm_members``. docs/keycloak-compatibility.md shows
them (``members_page``). Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from keyturn_credentials.errors import InvalidRequestError

_NEAR: Final = 0.75
_SHOWN: Final = 100


class Meaning(StrEnum):
    """Treatment of a member. FIXED: only values that match keyturn's behaviour are accepted."""

    SUPPORTED = "supported"
    FIXED = "refused otherwise"
    KEPT = "kept"
    DROPPED = "not kept"


@dataclass(frozen=True, slots=True)
class Member:
    """``note``: its effect, why it has none, or what to do instead. ``accepted``: the values of a FIXED
    member that match keyturn's behaviour; an empty value is always accepted."""

    meaning: Meaning
    note: str
    accepted: tuple[Any, ...] = ()

    def takes(self, value: object) -> bool:
        """Return whether a value can be accepted."""
        if self.meaning is not Meaning.FIXED or value in (None, "", [], {}):
            return True
        return any(type(value) is type(accepted) and value == accepted for accepted in self.accepted)


Members = Mapping[str, Member]


def supported(note: str, *names: str) -> dict[str, Member]:
    return dict.fromkeys(names, Member(Meaning.SUPPORTED, note))


def fixed(note: str, *names: str, accepted: tuple[Any, ...] = ()) -> dict[str, Member]:
    return dict.fromkeys(names, Member(Meaning.FIXED, note, accepted))


def kept(note: str, *names: str) -> dict[str, Member]:
    return dict.fromkeys(names, Member(Meaning.KEPT, note))


def dropped(note: str, *names: str) -> dict[str, Member]:
    return dict.fromkeys(names, Member(Meaning.DROPPED, note))


def refuse_unknown(representation: Mapping[str, Any], known: Members, before: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for a name that Keycloak's representation does not have. ``before``: unknown
    members stored by an earlier build, which may be sent back as they were read."""
    for name in unknown_names(representation, known):
        if name not in before:
            raise InvalidRequestError(f'unrecognized field "{name[:_SHOWN]}"{_suggestion(name, known)}')


def unknown_names(representation: Mapping[str, Any], known: Members) -> list[str]:
    """Return the names that Keycloak's representation does not have."""
    return [name for name in representation if name not in known]


def refuse_without_effect(
    values: Mapping[str, Any], known: Members, before: Mapping[str, Any], *, kind: str = ""
) -> None:
    """Raise InvalidRequestError for a value that requests something unsupported. An existing value may be
    sent back as it was read."""
    for name, note in without_effect(values, known):
        if name not in before or before[name] != values[name]:
            raise InvalidRequestError(f"{kind}{name}: {note}")


def without_effect(values: Mapping[str, Any], known: Members) -> Iterator[tuple[str, str]]:
    """Yield members with a value that requests something unsupported, and what to do about each."""
    for name, value in values.items():
        member = known.get(name)
        if member is not None and not member.takes(value):
            yield name, member.note


def _suggestion(name: str, known: Members) -> str:
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), by_lower, n=1, cutoff=_NEAR)
    return f': did you mean "{by_lower[near[0]]}"?' if near else ""
