"""Rules of a policy: their short names, their attributes, and which are in force."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.admin_cli.exits import CommandError, ExitCode

_LIFETIMES: Final = {
    "expiration-period": "keyturn.secret.expiration-period",
    "rotated-expiration-period": "keyturn.secret.rotated-expiration-period",
    "remaining-rotation-period": "keyturn.secret.remaining-rotation-period",
}
RULES: Final = {
    **_LIFETIMES,
    "automatic": "keyturn.rotation.automatic",
    "retire-unused": "keyturn.rotation.retire-unused",
    "self-service": "keyturn.rotation.self-service",
    "window": "keyturn.rotation.window",
    "jitter": "keyturn.rotation.jitter",
    "max-at-once": "keyturn.rotation.max-at-once",
    "disabled-limit": "keyturn.rotation.disabled-limit",
    "key-rotation-period": "keyturn.key.rotation-period",
    "key-overlap": "keyturn.key.overlap",
    "key-revoke-former": "keyturn.key.revoke-former",
}
"""Short names with the attributes that they stand for."""
_TIMES: Final = frozenset(
    {
        *_LIFETIMES.values(),
        *(RULES[name] for name in ("jitter", "disabled-limit", "key-rotation-period", "key-overlap")),
    }
)
_DURATION: Final = re.compile(r"(\d{1,9})([smhdw])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Rule:
    """``source``: client or realm."""

    name: str
    value: str
    source: str


def assignment(text: str) -> tuple[str, str]:
    """Return the attribute and value of ``NAME=VALUE``; durations in seconds. Raises CommandError."""
    name, separator, value = text.partition("=")
    attribute = RULES.get(name, name)
    if not separator or attribute not in RULES.values():
        raise CommandError(f"{text} is not NAME=VALUE; the names are {', '.join(RULES)}", ExitCode.USAGE)
    duration = _DURATION.fullmatch(value)
    if attribute in _TIMES and duration is not None:
        value = str(int(duration[1]) * _UNITS[duration[2]])
    return attribute, value


def in_force(of_client: Mapping[str, str], of_realm: Mapping[str, str]) -> list[Rule]:
    """Return the rules in force. A client's own lifetimes replace its realm's together; each other rule is
    the client's own, or else its realm's."""
    return list(_in_force(of_client, of_realm))


def _in_force(of_client: Mapping[str, str], of_realm: Mapping[str, str]) -> Iterator[Rule]:
    has_own = bool(of_client.get(_LIFETIMES["expiration-period"], "").strip())
    for name, attribute in RULES.items():
        own, general = of_client.get(attribute, "").strip(), of_realm.get(attribute, "").strip()
        if name in _LIFETIMES:
            own, general = (own, "") if has_own else ("", general)
        if name == "max-at-once":
            own = ""  # a rule of realms alone
        if own:
            yield Rule(name, own, "client")
        elif general:
            yield Rule(name, general, "realm")
