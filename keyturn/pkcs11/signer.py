"""A key in a PKCS#11 token as a Signer."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from keyturn.client.signer import SignerError
from keyturn.pkcs11.generating import generate_like
from keyturn.pkcs11.mechanisms import SIGNING
from keyturn.pkcs11.open_token import KeyName, OpenToken
from keyturn.pkcs11.pin import Pin
from keyturn.pkcs11.public_keys import read_key
from keyturn.pkcs11.token import Pkcs11Token
from keyturn_shared.jose.jwk import VerificationKey

_REFERENCE: Final = "pkcs11"
_ID_BYTES: Final = 16
_DIGITS_IN_LABEL: Final = 8


class Pkcs11Signer:
    """A key that never leaves its token: an HSM, a smart card, or SoftHSM.

    May be used from several threads, which take turns. There is one session; when it or the token was gone,
    another one is opened, once, and then SignerError is raised. A call takes as long as the module takes.
    """

    def __init__(self, token: Pkcs11Token, name: KeyName, key: VerificationKey, first_label: str) -> None:
        """Use ``open``. ``first_label``: of the configured key, with which labels of generated keys begin."""
        self._token = token
        self._name = name
        self._key = key
        self._first_label = first_label

    @classmethod
    def open(
        cls,
        module: Path,
        *,
        token: str | None = None,
        serial: str | None = None,
        key: str | None = None,
        key_id: str | None = None,
        pin: Pin = None,
        algorithm: str | None = None,
        kid: str | None = None,
    ) -> Self:
        """Find a key in a token, and read its public key.

        ``module``: the library of the token's maker. ``token``, ``serial``: label or serial number of the
        token. ``key``, ``key_id``: label of the private key, or its id in hexadecimal digits; its public key,
        or a certificate, has the same id. ``pin``: a file with the PIN, or what returns it; read whenever a
        session is opened. ``algorithm``: by default RS256 for RSA, that of the curve for ECDSA, EdDSA for
        Ed25519. ``kid``: by default the thumbprint (RFC 7638). Raises SignerError.
        """
        if (token is None) == (serial is None):
            raise SignerError("name the token by either its label or its serial number")
        if key is None and key_id is None:
            raise SignerError("name the key by its label or its id")
        try:
            name = KeyName(key, None if key_id is None else bytes.fromhex(key_id))
        except ValueError:
            raise SignerError(f"the id of a key is in hexadecimal digits, and not {key_id!r}") from None
        found = Pkcs11Token(module, label=token, serial=serial, pin=pin)
        read = found.run(lambda opened: read_key(opened, name, algorithm, kid), key=name)
        return cls(found, name, read, key or "key")

    @property
    def kid(self) -> str:
        return self._key.kid

    @property
    def algorithm(self) -> str:
        """The ``alg`` of its signatures, such as ``ES256``."""
        return str(self._key.alg)

    @property
    def public_jwk(self) -> Mapping[str, object]:
        """The public key as a JWK, as the token had it at the start."""
        return self._key.public_jwk

    def sign(self, data: bytes, /) -> bytes:
        """Let the token sign. Raises SignerError."""
        signing = SIGNING[self.algorithm]

        def work(opened: OpenToken) -> bytes:
            private = opened.private_key(self._name)
            return private.sign(
                signing.prepared(data),
                mechanism=signing.mechanism,
                mechanism_param=signing.parameter,
                pin=opened.pin_of(private),
            )

        signature = self._token.run(work, key=self._name)
        if signing.size is not None and len(signature) != signing.size:
            raise SignerError(f"{self._token} makes signatures of {len(signature)} bytes")
        return signature

    @property
    def reference(self) -> Mapping[str, object]:
        """The reference that a file keeps: the public key, and the name of the private one."""
        key_id = None if self._name.id is None else self._name.id.hex()
        return {_REFERENCE: {"key": self._name.label, "key_id": key_id}, **self.public_jwk}

    def referred(self, reference: Mapping[str, object]) -> Self:
        """Return the signer of a reference to a key in the same token. A key that the token no longer has is
        noticed when it signs. Raises ValueError, KeyError, TypeError and InvalidKeyError for another
        reference."""
        jwk = dict(reference)
        name = jwk.pop(_REFERENCE)
        if not isinstance(name, dict):
            raise TypeError("not a key in a token")
        label, key_id = name["key"], name["key_id"]
        found = KeyName(label, None if key_id is None else bytes.fromhex(key_id))
        return type(self)(self._token, found, VerificationKey.from_jwk(jwk), self._first_label)

    def generate_next(self) -> Self:
        """Generate a key pair for the same algorithm in the token, and return its signer: the next key of a
        rotation. The private key is sensitive and not extractable. Its label is that of the configured key
        and the first digits of its own id. Raises SignerError."""
        key_id = os.urandom(_ID_BYTES)
        name = KeyName(f"{self._first_label}-{key_id.hex()[:_DIGITS_IN_LABEL]}", key_id)

        def generate(opened: OpenToken) -> None:
            with opened.session.token.open(rw=True) as session:  # the PIN holds for all sessions
                generate_like(session, self._key, name)

        self._token.run(generate, key=name)
        made = self._token.run(lambda opened: read_key(opened, name, self.algorithm, None), key=name)
        return type(self)(self._token, name, made, self._first_label)

    def __repr__(self) -> str:
        return f"Pkcs11Signer({self.kid!r}, {self.algorithm!r})"
