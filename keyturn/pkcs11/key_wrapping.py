"""Keys of a ring wrapped under AES keys in a PKCS#11 token (CKM_AES_KEY_WRAP, RFC 3394)."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from pkcs11.constants import Attribute, MechanismFlag, ObjectClass
from pkcs11.exceptions import (
    AttributeSensitive,
    DeviceError,
    DeviceMemory,
    DeviceRemoved,
    HostMemory,
    KeyHandleInvalid,
    PKCS11Error,
    SessionClosed,
    SessionHandleInvalid,
    TokenNotPresent,
    UserNotLoggedIn,
)
from pkcs11.mechanisms import KeyType, Mechanism
from pkcs11.types import SecretKey, Session, UnwrapMixin, WrapMixin

from keyturn.client.signer import SignerError
from keyturn.pkcs11.open_token import KeyName, OpenToken
from keyturn.pkcs11.token import Pkcs11Token, named
from keyturn_shared.key_wrapping import KEY_BYTES, KeyWrappingError

T = TypeVar("T")

_ID_BYTES: Final = 16
_READABLE: Final[dict[Attribute, Any]] = {
    Attribute.SENSITIVE: False,
    Attribute.EXTRACTABLE: True,
    Attribute.PRIVATE: True,
}
"""Attributes of a ring's key while it is in the token: for this session, and readable by it."""
_OF_THE_DEVICE: Final = (
    DeviceError,
    DeviceMemory,
    DeviceRemoved,
    HostMemory,
    KeyHandleInvalid,
    SessionClosed,
    SessionHandleInvalid,
    TokenNotPresent,
    UserNotLoggedIn,
)
"""Errors of unwrapping that say nothing about the wrapped key. Tokens differ in what they say about one."""


class Pkcs11KeyWrapping:
    """KEKs of a token: AES keys of 256 bits, sensitive and not extractable. Calls have no time limit but the
    module's own."""

    def __init__(self, module: Path, *, token: str | None, serial: str | None, pin: Path | None) -> None:
        """``token``, ``serial``: one of them, the label or the serial number. ``pin``: a file with the PIN,
        None for a token that needs none. The token is looked for when it is first used."""
        self._token = Pkcs11Token(module, label=token, serial=serial, pin=pin, leaves_last_try=True)
        self._hidden = "" if pin is not None else ", or it shows none without a PIN"

    def open(self) -> None:
        """Open a session, in which the PIN is given. Raises KeyWrappingError, also for a token that does not
        wrap keys."""
        self._run(lambda opened: self._require_mechanism(opened.session))

    def find_kek(self, label: str) -> bytes:
        """Return the id of the KEK with this label. Raises KeyWrappingError."""

        def find(opened: OpenToken) -> bytes:
            kek = self._kek(opened.session, KeyName(label))
            key_id = bytes(kek[Attribute.ID] or b"")
            if not key_id:
                raise KeyWrappingError(f"the key {label!r} has no id (CKA_ID), by which wrapped keys name it")
            return key_id

        return self._run(find)

    def generate_kek(self, label: str) -> bytes:
        """Generate a KEK that cannot leave the token, and return its id. Raises KeyWrappingError, also if
        there is a secret key with this label."""
        key_id = os.urandom(_ID_BYTES)

        def generate(opened: OpenToken) -> bytes:
            if list(opened.session.get_objects(_secret_keys(KeyName(label)))):
                raise KeyWrappingError(f"{self._token} has a key {label!r} already")
            with opened.session.token.open(rw=True) as session:  # the PIN holds for all sessions
                session.generate_key(
                    KeyType.AES,
                    8 * KEY_BYTES,
                    id=key_id,
                    label=label,
                    store=True,
                    capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
                    template={
                        Attribute.PRIVATE: True,
                        Attribute.SENSITIVE: True,
                        Attribute.EXTRACTABLE: False,
                    },
                )
            return key_id

        return self._run(generate)

    def generate(self, kek_id: bytes) -> bytes:
        """Generate a key in the token, and return it wrapped. Raises KeyWrappingError."""

        def make(session: Session) -> SecretKey:
            return session.generate_key(
                KeyType.AES,
                8 * KEY_BYTES,
                store=False,
                capabilities=MechanismFlag(0),
                template=_READABLE,
            )

        return self._run(lambda opened: self._wrapped(opened.session, kek_id, make))

    def wrap(self, kek_id: bytes, key: bytes) -> bytes:
        """Return the key wrapped. Raises KeyWrappingError."""

        def make(session: Session) -> SecretKey:
            of_key = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES}
            made = session.create_object(
                {**of_key, Attribute.VALUE: key, Attribute.TOKEN: False, **_READABLE}
            )
            assert isinstance(made, SecretKey), "by its class"  # noqa: S101 - a mistake in code
            return made

        return self._run(lambda opened: self._wrapped(opened.session, kek_id, make))

    def unwrap(self, kek_id: bytes, wrapped: bytes) -> bytes:
        """Return the key. Raises KeyWrappingError."""

        def work(opened: OpenToken) -> bytes:
            kek = self._kek(opened.session, KeyName(id=kek_id))
            if not isinstance(kek, UnwrapMixin):
                raise KeyWrappingError(f"{_kek_named(kek_id)} may not unwrap: its CKA_UNWRAP is false")
            key = self._unwrapped(kek, wrapped, kek_id)
            try:
                return bytes(key[Attribute.VALUE])
            except AttributeSensitive:
                raise KeyWrappingError(f"{self._token} does not give out what it unwraps") from None
            finally:
                _destroy(key)

        return self._run(work)

    def close(self) -> None:
        """Close the session."""
        self._token.close()

    def _run(self, work: Callable[[OpenToken], T]) -> T:
        try:
            return self._token.run(work, key=KeyName("for wrapping"))
        except SignerError as error:
            raise KeyWrappingError(error.detail) from None

    def _wrapped(self, session: Session, kek_id: bytes, make: Callable[[Session], SecretKey]) -> bytes:
        kek = self._kek(session, KeyName(id=kek_id))
        if not isinstance(kek, WrapMixin):
            raise KeyWrappingError(f"{_kek_named(kek_id)} may not wrap: its CKA_WRAP is false")
        key = make(session)
        try:
            return kek.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP)
        finally:
            _destroy(key)

    def _unwrapped(self, kek: UnwrapMixin, wrapped: bytes, kek_id: bytes) -> SecretKey:
        try:
            key = kek.unwrap_key(
                ObjectClass.SECRET_KEY,
                KeyType.AES,
                wrapped,
                mechanism=Mechanism.AES_KEY_WRAP,
                store=False,
                capabilities=MechanismFlag(0),
                template=_READABLE,
            )
        except _OF_THE_DEVICE:
            raise
        except PKCS11Error as error:
            raise KeyWrappingError(
                f"it does not unwrap ({named(error)}): it was altered, or wrapped under another key"
                f" that has the id {kek_id.hex()} too"
            ) from None
        assert isinstance(key, SecretKey), "by its class"  # noqa: S101 - a mistake in code
        return key

    def _kek(self, session: Session, name: KeyName) -> SecretKey:
        named = repr(name.label) if name.id is None else f"with the id {name.id.hex()}"
        other = (
            "" if name.id is None else ": it was wrapped under a key of another token, or one that is gone"
        )
        keys = list(session.get_objects(_secret_keys(name)))
        if not keys:
            raise KeyWrappingError(f"{self._token} has no key encryption key {named}{self._hidden}{other}")
        if len(keys) > 1:
            raise KeyWrappingError(f"{self._token} has several keys {named}")
        found = keys[0]
        is_aes = isinstance(found, SecretKey) and found.key_type is KeyType.AES
        if not isinstance(found, SecretKey) or not is_aes or found.key_length != 8 * KEY_BYTES:
            raise KeyWrappingError(f"the key {named} is no AES key of 256 bits")
        if found[Attribute.EXTRACTABLE] or not found[Attribute.SENSITIVE]:
            raise KeyWrappingError(
                f"the key {named} can leave its token: a key encryption key is sensitive and not extractable"
            )
        return found

    def _require_mechanism(self, session: Session) -> None:
        if Mechanism.AES_KEY_WRAP not in session.token.slot.get_mechanisms():
            raise KeyWrappingError(f"{self._token} has no mechanism AES_KEY_WRAP (CKM_AES_KEY_WRAP)")


def _secret_keys(name: KeyName) -> dict[Attribute, Any]:
    by = {Attribute.LABEL: name.label} if name.id is None else {Attribute.ID: name.id}
    return {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.TOKEN: True, **by}


def _kek_named(kek_id: bytes) -> str:
    return f"the key encryption key with the id {kek_id.hex()}"


def _destroy(key: SecretKey) -> None:
    """Remove a key of this session from the token, which would do so at the end of the session too."""
    with suppress(PKCS11Error):
        key.destroy()
