"""Read what the server tells a client of its own rotation: ``POST {issuer}/rotation``."""

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx

from keyturn.client.keys import RotationError
from keyturn.client.signer import Signer, SignerError

_SHORTEST_SECONDS: Final = 1.0
_LONGEST_SECONDS: Final = 3600.0
"""Bounds of the interval that a server gives."""
_ENDED: Final = frozenset({"done", "cancelled", "rolled_back", "superseded", "failed"})

Used = TypeVar("Used", str, Signer)


@dataclass(frozen=True, slots=True)
class OwnRotation:
    """``kind``: ``secret`` or ``key``. ``state``, ``waits_for``: see docs/rotations.md; None if unknown."""

    id: str
    kind: str | None
    state: str | None
    waits_for: str | None
    paused: bool

    @property
    def is_open(self) -> bool:
        return self.state not in _ENDED

    @property
    def wants_key(self) -> bool:
        """True if the policy wants a new key now."""
        return self.state == "planned" and self.waits_for == "successor" and not self.paused


@dataclass(frozen=True, slots=True)
class Seen:
    """A response. ``secret``: the new one, to be taken. ``interval``: seconds until the next look."""

    rotation: OwnRotation | None
    secret: str | None
    interval: float


async def see_rotation(
    http: httpx.AsyncClient,
    request: Callable[[Used], httpx.Request],
    used: Used,
    others: Callable[[Used], Iterable[Used]],
    use: Callable[[Used], None],
) -> Seen:
    """Ask with the secret or key in use. If it is refused, try the others, and go on with one that is
    accepted. Raises RotationError, SignerError and errors of httpx."""
    answer = await http.send(request(used), auth=None, follow_redirects=False)
    if answer.status_code == 401:
        for other in others(used):
            with suppress(SignerError):  # a former key may be gone from its token
                answer = await http.send(request(other), auth=None, follow_redirects=False)
            if answer.status_code == 200:
                use(other)
                break
    return read_rotation(answer)


def read_rotation(answer: httpx.Response) -> Seen:
    """Read a response. Raises RotationError if it is not what was expected; its text may have a secret."""
    if answer.status_code != 200:
        raise RotationError(f"{answer.status_code}: {answer.text[:200]}")
    try:
        body = answer.json()
        rotation = None if body["rotation"] is None else _rotation(body["rotation"])
        secret, interval = body.get("secret"), float(body["interval"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise RotationError("the response is not that of a rotation") from None
    if secret is not None and not _is_text(secret):
        raise RotationError("the response is not that of a rotation")
    if not math.isfinite(interval):
        raise RotationError("the response has no interval")
    return Seen(rotation, secret, min(max(interval, _SHORTEST_SECONDS), _LONGEST_SECONDS))


def _rotation(shown: Any) -> OwnRotation:
    if not _is_text(shown["id"]):
        raise ValueError
    kind, state, waits_for = (
        str(shown[name]) if shown.get(name) else None for name in ("kind", "state", "waits_for")
    )
    return OwnRotation(shown["id"], kind, state, waits_for, paused=shown.get("paused") is True)


def _is_text(value: object) -> bool:
    """Return whether it can be sent: JSON may have halves of surrogate pairs."""
    return isinstance(value, str) and value != "" and not any("\ud800" <= each <= "\udfff" for each in value)
