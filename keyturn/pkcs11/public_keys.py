"""Public keys in a token: of a key pair, or of a certificate beside the private key."""

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.exceptions import PKCS11Error
from pkcs11.mechanisms import KeyType
from pkcs11.types import Object, Session
from pkcs11.util.ec import encode_ec_public_key

from keyturn.client.key_files import default_algorithm
from keyturn.client.signer import SignerError
from keyturn.pkcs11.mechanisms import SIGNING
from keyturn.pkcs11.open_token import KeyName, OpenToken
from keyturn_shared.jose.algorithms import PublicKey
from keyturn_shared.jose.errors import InvalidKeyError
from keyturn_shared.jose.jwk import VerificationKey

_ED25519_BYTES: Final = 32


def read_key(opened: OpenToken, name: KeyName, algorithm: str | None, kid: str | None) -> VerificationKey:
    """Read the public key of a private key that can sign with the algorithm, by default the usual one. Raises
    SignerError and PKCS11Error."""
    private = opened.private_key(name)
    try:
        public = _public_key_of(opened.session, private)
        alg = algorithm or (default_algorithm(public) if isinstance(public, PublicKey) else None)
        key = VerificationKey.from_public_key(public, kid=kid, alg=alg)
    except InvalidKeyError as error:
        raise SignerError(f"the key {name} cannot be used: {error.detail}") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignerError(f"the key {name} cannot be used: {error}") from None
    mechanism = SIGNING[str(key.alg)].mechanism
    if mechanism not in opened.session.token.slot.get_mechanisms():
        raise SignerError(f"the token does not sign with {key.alg}: it has no mechanism {mechanism.name}")
    return key


def _public_key_of(session: Session, private: Object) -> object:
    """Return the public key with the id of the private key, or with its label if it has no id. Raises
    ValueError if the token has none that can be read, and PKCS11Error."""
    key_id = private[Attribute.ID]
    name = {Attribute.ID: key_id} if key_id else {Attribute.LABEL: private[Attribute.LABEL]}
    if keys := list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, **name})):
        return _loaded(keys[0])
    if certificates := list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, **name})):
        return x509.load_der_x509_certificate(certificates[0][Attribute.VALUE]).public_key()
    raise ValueError("no public key or certificate with the id of the private key")


def _loaded(key: Object) -> object:
    try:
        match key[Attribute.KEY_TYPE]:
            case KeyType.RSA:
                numbers = (key[Attribute.PUBLIC_EXPONENT], key[Attribute.MODULUS])
                return rsa.RSAPublicNumbers(*(int.from_bytes(each, "big") for each in numbers)).public_key()
            case KeyType.EC:
                return load_der_public_key(encode_ec_public_key(key))  # type: ignore[arg-type]  # by its type
            case KeyType.EC_EDWARDS:
                # An octet string in DER; of some tokens, its contents alone.
                return ed25519.Ed25519PublicKey.from_public_bytes(key[Attribute.EC_POINT][-_ED25519_BYTES:])
            case other:
                raise ValueError(f"a key of the type {getattr(other, 'name', other)}")
    except PKCS11Error as error:
        raise ValueError(f"an attribute of the public key cannot be read ({type(error).__name__})") from None
