"""A client's keys: the one that signs, possibly the next one, and those that signed recently."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from keyturn.client.file_lock import locked
from keyturn.client.key_state import (
    FormerKey,
    KeyState,
    KeyStateError,
    read_state,
    require_storable,
    write_state,
)
from keyturn.client.signer import Signer, thumbprint_of, verification_key_of
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.signing import DEFAULT_ALGORITHM, SigningKey

WITHDRAWN_AFTER_SECONDS: Final = 75.0
"""A minute, the lifetime of an assertion, plus the clock skew that verifiers allow."""


class RotationError(KeyturnError):
    """The new key was not accepted in time, or another rotation is in progress; the former key still
    signs."""

    code = "rotation"


class ClientKeys:
    """A client's private keys and the public ones it publishes. Private keys stay in this object, and in
    ``state``.

    ``signing``: the key that the client was configured with. ``state``: a file that keeps all keys, for a
    restart at any moment; what is in it takes precedence over ``signing``, which is then only tried when the
    others are refused. It is written atomically, with mode 0600, at once and before any change is published
    or used; processes of one client on one machine may share it. Of a Pkcs11Signer it keeps a reference, of
    another Signer that is no SigningKey nothing (TypeError).
    ``withdrawn_after``: seconds for which a key that no longer signs stays published. ``elapsed``: a
    monotonic clock. ``now``: the wall clock. May be used from several threads. Raises KeyStateError if the
    file cannot be read or written, and InvalidKeyError for a key that no verifier accepts.
    """

    def __init__(
        self,
        signing: Signer,
        *,
        state: Path | None = None,
        withdrawn_after: float = WITHDRAWN_AFTER_SECONDS,
        elapsed: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        verification_key_of(signing)
        self._configured = signing
        self._file = state
        self._withdrawn_after = withdrawn_after
        self._elapsed = elapsed
        self._now = now
        self._deadlines: dict[tuple[str, float], float] = {}
        self._changing = threading.RLock()
        self._rotating = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._state = KeyState(signing, now())
        if state is not None:
            require_storable(signing)
            self._change(lambda found: found)

    @classmethod
    def generated(cls, algorithm: str = DEFAULT_ALGORITHM, *, state: Path) -> Self:
        """Return the keys of the file. If there are none yet, the first one is generated and stored."""
        found = read_state(state)
        keys = cls(SigningKey.generate(algorithm) if found is None else found.signing, state=state)
        keys._configured = keys.signing  # another process may have been faster
        return keys

    @property
    def signing(self) -> Signer:
        """The key that signs now."""
        return self._current().signing

    @property
    def age(self) -> float:
        """Seconds for which it has signed, by the wall clock; with ``state``, over restarts."""
        return self._now() - self._current().since

    @property
    def pending(self) -> Signer | None:
        """The key that is published and does not sign yet."""
        return self._current().pending

    @property
    def answered(self) -> str | None:
        """Id of the server's rotation to which the key that signs was the answer."""
        return self._current().answered

    @property
    def jwks(self) -> dict[str, object]:
        """Return the JWK Set to publish: every key that a verifier may meet now or soon."""
        state = self._current()
        keys = [state.signing, *([] if state.pending is None else [state.pending])]
        keys += [each.key for each in state.former]
        return {"keys": [verification_key_of(key).public_jwk for key in keys]}

    def others(self, refused: Signer) -> tuple[Signer, ...]:
        """Return the known keys except one that was refused: the pending one, former ones, and the one that
        was configured. One of them is valid if a rotation was given up or has ended meanwhile, or if an
        operator has registered another key."""
        state = self._current()
        known = [state.signing, *([] if state.pending is None else [state.pending])]
        known += [*(each.key for each in state.former), self._configured]
        by_name = {thumbprint_of(key): key for key in reversed(known)}
        by_name.pop(thumbprint_of(refused), None)
        return tuple(reversed(by_name.values()))

    def publish(self, key: Signer) -> None:
        """Publish a key before it signs. Raises RotationError while another one is pending or has its kid,
        and KeyStateError; then nothing has changed."""
        if self._file is not None:
            require_storable(key)
        verification_key_of(key)

        def published(state: KeyState) -> KeyState:
            if state.pending is not None:
                raise RotationError("another rotation is in progress")
            if key.kid in [state.signing.kid, *(each.key.kid for each in state.former)]:
                raise RotationError("the new key has the kid of another one")
            return replace(state, pending=key)

        self._change(published)

    def promote(self) -> None:
        """Sign with the pending key from now on. Raises RotationError when there is none, and KeyStateError;
        then nothing has changed."""
        key = self.pending
        if key is None:
            raise RotationError("no key was published")
        self.use(key)

    def use(self, key: Signer, *, answered: str | None = None, keep: bool = False) -> None:
        """Sign with another known key from now on, which the server has accepted.

        ``answered``: id of the server's rotation that it is the answer to. ``keep``: the former key until
        ``settle``, since the server may roll that rotation back. Raises KeyStateError; then nothing has
        changed.
        """
        now = self._now()
        until = None if keep else now + self._withdrawn_after
        self._change(lambda state: state.using(key, now=now, until=until, answered=answered))

    def give_up(self) -> None:
        """Withdraw a published key that has not signed for other requests. Raises KeyStateError."""
        self._change(lambda state: state if state.pending is None else replace(state, pending=None))

    def settle(self) -> None:
        """End what the server's rotation had begun: withdraw a pending key at once, and the former ones that
        were kept for it as usual. Raises KeyStateError."""
        state = self._current()
        if state.pending is not None or any(each.until is None for each in state.former):
            self._change(lambda found: found.settled(self._now() + self._withdrawn_after))

    @contextmanager
    def rotating(self) -> Iterator[None]:
        """Keep other rotations away, also those of other processes. Raises RotationError if one is under way,
        and KeyStateError."""
        with ExitStack() as held:
            if not self._rotating.acquire(blocking=False):
                raise RotationError("another rotation is in progress")
            held.callback(self._rotating.release)
            if self._file is not None:
                try:
                    held.enter_context(locked(self._file, name="rotation", wait=False))
                except BlockingIOError:
                    raise RotationError("another process rotates the key") from None
                except OSError as error:
                    raise KeyStateError(f"{self._file}: {error.strerror or error}") from error
            yield

    def _change(self, transform: Callable[[KeyState], KeyState]) -> None:
        """Store a new state, and then let it be seen."""
        with self._changing:
            if self._file is None:
                self._adopt(self._without_withdrawn(transform(self._state)))
                return
            try:
                with locked(self._file):
                    stored = read_state(self._file, self._configured)  # another process may have changed it
                    before = stored or self._state
                    after = self._without_withdrawn(transform(before))
                    if stored is None or after != before:
                        write_state(self._file, after)
                    self._seen = _identity(self._file)
            except OSError as error:
                raise KeyStateError(f"{self._file}: {error.strerror or error}") from error
            self._adopt(after)

    def _current(self) -> KeyState:
        """Return the state without keys whose time is over. They are also deleted."""
        state = self._refreshed()
        current = self._without_withdrawn(state)
        if current != state:
            with suppress(KeyStateError):
                self._change(lambda found: found)
        return current

    def _refreshed(self) -> KeyState:
        """Return the state, as another process may have stored it. While the file cannot be read, the one
        known before."""
        if self._file is not None:
            with suppress(OSError, KeyStateError), self._changing:
                identity = _identity(self._file)
                if identity != self._seen:
                    found = read_state(self._file, self._configured)
                    self._seen = identity
                    if found is not None:
                        self._adopt(found)
        return self._state

    def _adopt(self, state: KeyState) -> None:
        self._state = state
        self._deadlines = {
            (thumbprint_of(each.key), each.until): self._deadline(each, each.until)
            for each in state.former
            if each.until is not None
        }

    def _deadline(self, former: FormerKey, until: float) -> float:
        """Return when it is withdrawn, on the monotonic clock: a step of the wall clock withdraws no key."""
        known = self._deadlines.get((thumbprint_of(former.key), until))
        left = min(max(until - self._now(), 0.0), self._withdrawn_after)
        return self._elapsed() + left if known is None else known

    def _without_withdrawn(self, state: KeyState) -> KeyState:
        now = self._elapsed()
        over = {each for each, at in self._deadlines.items() if now >= at}
        former = tuple(each for each in state.former if (thumbprint_of(each.key), each.until) not in over)
        return state if len(former) == len(state.former) else replace(state, former=former)


def _identity(file: Path) -> tuple[int, int]:
    """Return what changes whenever the file is replaced. Raises OSError."""
    found = os.stat(file)
    return found.st_ino, found.st_mtime_ns
