"""Tokens of SoftHSM, each with its own keys."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.mechanisms import KeyType
from pkcs11.types import Object, Session
from pkcs11.util.ec import encode_named_curve_parameters

from keyturn import Pkcs11Signer
from tests.testkit.softhsm import PIN, SoftHsm, softhsm

CURVES = {"P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1", "secp256k1": "secp256k1"}
ED25519 = bytes.fromhex("06032b6570")
"""Its object identifier in DER."""


@dataclass(frozen=True)
class Token:
    """A token with the PIN ``PIN``."""

    hsm: SoftHsm
    label: str
    pin_file: Path

    def signer(self, **changes: Any) -> Pkcs11Signer:
        settings: dict[str, Any] = {"token": self.label, "key": "orders", "pin": self.pin_file}
        return Pkcs11Signer.open(self.hsm.module, **settings | changes)

    def session(self) -> Session:
        """Open one as another program would, but in this process, which shares the login."""
        pkcs11.lib(str(self.hsm.module)).reinitialize()
        token = pkcs11.lib(str(self.hsm.module)).get_token(token_label=self.label)
        opened: Session = token.open(rw=True, user_pin=PIN)
        return opened

    def make_key(self, kind: str, label: str = "orders", key_id: bytes = b"\x01", **template: Any) -> None:
        """Make a key pair: ``RSA-2048``, ``Ed25519`` or a curve. ``template``: of the private key."""
        private = {Attribute[name]: value for name, value in template.items()}
        named: dict[str, Any] = {"label": label, "id": key_id, "store": True, "private_template": private}
        with self.session() as session:
            if kind.startswith("RSA-"):
                session.generate_keypair(KeyType.RSA, int(kind[4:]), **named)
                return
            key_type = KeyType.EC if kind in CURVES else KeyType.EC_EDWARDS
            curve = encode_named_curve_parameters(CURVES[kind]) if kind in CURVES else ED25519
            parameters = {Attribute.EC_PARAMS: curve}
            session.create_domain_parameters(key_type, parameters, local=True).generate_keypair(**named)

    def objects(self, session: Session, kind: ObjectClass) -> list[Object]:
        return list(session.get_objects({Attribute.CLASS: kind}))


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    with softhsm(tmp_path_factory.mktemp("softhsm")) as made:
        yield made


_numbers = itertools.count()


@pytest.fixture
def token(hsm: SoftHsm, tmp_path: Path) -> Token:
    pin_file = tmp_path / "pin"
    pin_file.write_text(f"{PIN}\n")
    made = Token(hsm, f"token {next(_numbers)}", pin_file)
    hsm.make_token(made.label)
    return made
