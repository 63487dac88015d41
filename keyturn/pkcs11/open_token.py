"""A session of a token, and the private keys in it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pkcs11.constants import Attribute, ObjectClass
from pkcs11.exceptions import PKCS11Error
from pkcs11.types import Session, SignMixin

from keyturn.client.signer import SignerError


@dataclass(frozen=True, slots=True)
class KeyName:
    """The label (CKA_LABEL) or id (CKA_ID) of a key, or both."""

    label: str | None = None
    id: bytes | None = None

    def __str__(self) -> str:
        parts = [] if self.label is None else [repr(self.label)]
        if self.id is not None:
            parts.append(f"with the id {self.id.hex()}")
        return " ".join(parts)


@dataclass(slots=True)
class OpenToken:
    """A session in which the PIN has been given, and private keys that were found in it. ``read_pin``: for a
    key that wants the PIN for each signature."""

    session: Session
    read_pin: Callable[[], str | None]
    _found: dict[KeyName, SignMixin] = field(default_factory=dict)

    def private_key(self, name: KeyName) -> SignMixin:
        """Find a key that signs. Raises NoSuchKey, MultipleObjectsReturned and SignerError."""
        if name not in self._found:
            found = self.session.get_key(ObjectClass.PRIVATE_KEY, label=name.label, id=name.id)
            if not isinstance(found, SignMixin):
                raise SignerError(f"the key {name} may not sign: its attribute CKA_SIGN is false")
            self._found[name] = found
        return self._found[name]

    def pin_of(self, key: SignMixin) -> str | None:
        """Return the PIN if the key wants it for each signature (CKA_ALWAYS_AUTHENTICATE)."""
        try:
            wants_it = key[Attribute.ALWAYS_AUTHENTICATE]
        except PKCS11Error:  # an attribute that some tokens do not have
            return None
        return self.read_pin() if wants_it else None
