"""A client's keys as data, and the file that keeps them over restarts."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from keyturn.client.signer import Signer, TokenSigner, thumbprint_of
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.private_files import write_private

_REFERENCE: Final = "in_token"
"""The member that has a reference, in place of a private JWK."""


class KeyStateError(KeyturnError):
    """The file with the client's keys cannot be read or written."""

    code = "key_state"


@dataclass(frozen=True, slots=True)
class FormerKey:
    """A key that signed before. ``until``: when it is withdrawn (NumericDate); None while the rotation that
    replaced it may still be rolled back."""

    key: Signer
    until: float | None


@dataclass(frozen=True, slots=True)
class KeyState:
    """``signing``: the key in use, since ``since`` (NumericDate). ``pending``: published, and not in use yet.
    ``former``: the newest first. ``answered``: id of the server's rotation that the key in use answered."""

    signing: Signer
    since: float
    pending: Signer | None = None
    former: tuple[FormerKey, ...] = ()
    answered: str | None = None

    def using(self, key: Signer, *, now: float, until: float | None, answered: str | None) -> "KeyState":
        """Return the state in which this key signs; the one that signed is withdrawn at ``until``."""
        name = thumbprint_of(key)
        if name == thumbprint_of(self.signing):
            return replace(self, answered=answered or self.answered)
        former = tuple(each for each in self.former if thumbprint_of(each.key) != name)
        is_pending = self.pending is not None and thumbprint_of(self.pending) == name
        former = (FormerKey(self.signing, until), *former)
        return KeyState(key, now, None if is_pending else self.pending, former, answered)

    def settled(self, until: float) -> "KeyState":
        """Return the state after the server's rotation has ended: nothing is pending, and keys kept for it
        are withdrawn at ``until``."""
        former = (replace(each, until=until) if each.until is None else each for each in self.former)
        return replace(self, pending=None, former=tuple(former))


def read_state(path: Path, configured: Signer | None = None) -> KeyState | None:
    """Read the file; None if there is none. ``configured``: the client's own key; references are to keys in
    its token. Raises KeyStateError."""

    def key_of(stored: dict[str, object]) -> Signer:
        reference = stored.get(_REFERENCE)
        if reference is None:
            return SigningKey.from_private_jwk(json.dumps(stored).encode())
        if not isinstance(configured, TokenSigner):
            raise KeyStateError(f"{path} is of a client whose keys are in a token")
        if not isinstance(reference, dict):
            raise TypeError
        return configured.referred(reference)

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        former = tuple(FormerKey(key_of(each["key"]), _time(each["until"])) for each in document["former"])
        since, pending, answered = _time(document["since"]), document["pending"], document["answered"]
        if since is None or not (answered is None or isinstance(answered, str)):
            raise ValueError
        signing = key_of(document["signing"])
        return KeyState(signing, since, None if pending is None else key_of(pending), former, answered)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyStateError(f"{path}: {error.strerror or error}") from error
    except KeyStateError:
        raise
    except (KeyturnError, ValueError, KeyError, TypeError, AttributeError):
        raise KeyStateError(f"{path} is not a file of a client's keys") from None


def write_state(path: Path, state: KeyState) -> None:
    """Replace the file atomically, mode 0600. Raises OSError."""
    document = {
        "signing": _stored(state.signing),
        "since": state.since,
        "pending": None if state.pending is None else _stored(state.pending),
        "former": [{"key": _stored(each.key), "until": each.until} for each in state.former],
        "answered": state.answered,
    }
    write_private(path, json.dumps(document) + "\n")


def require_storable(key: Signer) -> SigningKey | TokenSigner:
    """Return the key. Raises TypeError if a file can keep neither it nor a reference to it."""
    if not isinstance(key, SigningKey | TokenSigner):
        raise TypeError("a file keeps private keys, or references to them: one that only signs has neither")
    return key


def _stored(key: Signer) -> Any:
    storable = require_storable(key)
    if isinstance(storable, SigningKey):
        return json.loads(storable.export_private_jwk())
    return {_REFERENCE: dict(storable.reference)}


def _time(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)
