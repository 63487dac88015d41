"""A PKCS#11 token: its session, its PIN, and calls to its module, one at a time."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import pkcs11
from pkcs11.constants import TokenFlag
from pkcs11.exceptions import (
    MultipleObjectsReturned,
    MultipleTokensReturned,
    NoSuchKey,
    NoSuchToken,
    PinExpired,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
    UserPinNotInitialized,
)
from pkcs11.types import Session, Token

from keyturn.client.signer import SignerError
from keyturn.pkcs11.open_token import KeyName, OpenToken
from keyturn.pkcs11.pin import WRONG_PIN, Pin, PinReader

T = TypeVar("T")

_CALLS: Final = threading.RLock()
"""Held during calls: a module is initialized for one thread at a time."""
_NUMBER: Final = re.compile(r"\b0x[0-9a-f]+\b")
_PIN_REFUSED: Final = (*WRONG_PIN, PinLocked, PinExpired, UserPinNotInitialized)


def named(error: PKCS11Error) -> str:
    """Return the name of an error; of one that only the token's maker names, its number."""
    number = _NUMBER.search(str(error)) if type(error) is PKCS11Error else None
    return type(error).__name__ if number is None else f"error {number[0]}"


class Pkcs11Token:
    """A token by its label or serial number, with one session that is opened when it is first needed.

    All calls of this process to PKCS#11 modules come one after the other, whichever thread makes them. They
    have no time limit but the module's own. A PIN that was refused is not tried again: tokens lock after a
    few wrong ones.
    """

    def __init__(
        self,
        module: Path,
        *,
        label: str | None,
        serial: str | None,
        pin: Pin,
        leaves_last_try: bool = False,
    ) -> None:
        """``leaves_last_try``: give no PIN that would lock the token if it is wrong."""
        self._module = module
        self._label = label
        self._serial = serial
        self._pin = PinReader(pin)
        self._leaves_last_try = leaves_last_try
        self._open: OpenToken | None = None
        self._has_worked = False

    def __str__(self) -> str:
        return f"the token {self._named}"

    @property
    def _named(self) -> str:
        return f"with the serial number {self._serial}" if self._label is None else repr(self._label)

    def run(self, work: Callable[[OpenToken], T], *, key: KeyName) -> T:
        """Return what ``work`` returns. If the session is lost, another one is opened, once, and the module
        is initialized again if that is what it takes. ``key``: for errors. Raises SignerError."""
        with _CALLS, self._telling(key):
            done = self._run(work)
            self._has_worked = True
            return done

    def close(self) -> None:
        """Close the session, if there is one. The next call opens another one."""
        with _CALLS:
            self._close()

    def _run(self, work: Callable[[OpenToken], T]) -> T:
        if self._open is not None:
            try:
                return work(self._open)
            except _PIN_REFUSED:
                raise
            except PKCS11Error:  # modules differ in how they say that a session is over
                self._close()
        try:
            return work(self._opened())
        except (NoSuchKey, MultipleObjectsReturned, *_PIN_REFUSED):
            raise
        except PKCS11Error:
            if not self._has_worked:
                raise
            self._close()
            self._initialize_module_again()
            return work(self._opened())

    def _opened(self) -> OpenToken:
        if self._open is None:
            self._open = OpenToken(self._session(self._find(), self._pin.read()), self._pin.read)
        return self._open

    def _find(self) -> Token:
        found: list[Token] = []
        for slot in self._load_module().get_slots(token_present=True):
            with suppress(PKCS11Error):  # another token, or one that has just been removed
                found.append(slot.get_token())
        serial = None if self._serial is None else self._serial.encode()
        found = [each for each in found if each.label == self._label or each.serial == serial]
        if not found:
            raise NoSuchToken
        if len(found) > 1:
            raise MultipleTokensReturned
        return found[0]

    def _session(self, token: Token, pin: str | None) -> Session:
        is_last = self._leaves_last_try and TokenFlag.USER_PIN_FINAL_TRY in token.flags
        if pin is not None and is_last:
            raise SignerError(
                f"{self} would be locked by another wrong PIN, so none is given: sign in by hand once"
            )
        try:
            return token.open(user_pin=pin)
        except UserAlreadyLoggedIn:  # in another session of this process
            return token.open()

    def _load_module(self) -> Any:
        try:
            return pkcs11.lib(str(self._module))
        except PKCS11Error as error:
            reason = str(error).rpartition(f"{self._module}: ")[2] or type(error).__name__
            raise SignerError(f"the PKCS#11 module {self._module} cannot be loaded: {reason}") from None

    def _initialize_module_again(self) -> None:
        """Let the module look for tokens anew. All its sessions in this process end; those of other signers
        are opened again when they sign."""
        module = self._load_module()
        with suppress(PKCS11Error):
            module.finalize()
        module.initialize()

    def _close(self) -> None:
        if self._open is not None:
            lost, self._open = self._open, None
            with suppress(PKCS11Error):
                lost.session.close()

    @contextmanager
    def _telling(self, key: KeyName) -> Iterator[None]:
        """Raise SignerError, with a sentence, for errors of PKCS#11."""
        try:
            yield
        except PKCS11Error as error:
            self._tell(error, key)

    def _tell(self, error: PKCS11Error, key: KeyName) -> NoReturn:
        match error:
            case NoSuchToken():
                told = f"{self._module} has no token {self._named}"
            case MultipleTokensReturned():
                told = f"{self._module} has several tokens {self._named}: name it by its serial number"
            case NoSuchKey():
                hidden = ", or it shows none without a PIN" if not self._pin.is_needed else ""
                told = f"{self} has no private key {key}{hidden}"
            case MultipleObjectsReturned():
                told = f"{self} has several private keys {key}: name it by its id"
            case PinLocked():
                told = f"{self} has locked its PIN"
            case PinExpired() | UserPinNotInitialized():
                told = f"{self} wants a new PIN first"
            case _ if isinstance(error, WRONG_PIN):
                self._pin.was_wrong()
                told = f"{self} refuses the PIN; the same one is not tried again, since tokens lock"
            case _:
                told = f"{self} fails with {named(error)}"
        raise SignerError(told) from None
