"""Key pairs that a token generates: the private key is sensitive, not extractable, and only signs."""

from typing import Any, Final

from pkcs11.constants import Attribute, MechanismFlag
from pkcs11.mechanisms import KeyType
from pkcs11.types import PrivateKey, PublicKey, Session
from pkcs11.util.ec import encode_named_curve_parameters

from keyturn.pkcs11.open_token import KeyName
from keyturn_shared.jose.jwk import VerificationKey

_ED25519: Final = b"\x13\x0cedwards25519"
"""CKA_EC_PARAMS: the name of the curve as a PrintableString in DER (PKCS#11 version 3.1 section 6.3)."""
_CURVES: Final = {"P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1"}


def generate_like(session: Session, key: VerificationKey, name: KeyName) -> None:
    """Generate a key pair of the same type and size, and store it in the token. Raises PKCS11Error."""
    named: dict[str, Any] = {
        "id": name.id,
        "label": name.label,
        "store": True,
        "capabilities": MechanismFlag.SIGN | MechanismFlag.VERIFY,
        "private_template": {
            Attribute.PRIVATE: True,
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
        },
    }
    _generate(session, key, named)


def _generate(session: Session, key: VerificationKey, named: dict[str, Any]) -> tuple[PublicKey, PrivateKey]:
    if key.bits is not None:
        return session.generate_keypair(KeyType.RSA, key.bits, **named)
    if key.crv in _CURVES:
        key_type, parameters = KeyType.EC, encode_named_curve_parameters(_CURVES[key.crv])
    else:
        key_type, parameters = KeyType.EC_EDWARDS, _ED25519
    domain = session.create_domain_parameters(key_type, {Attribute.EC_PARAMS: parameters}, local=True)
    return domain.generate_keypair(**named)
