"""Key pairs: of the requested kind, usable once, never shown."""

import base64
import copy
import pickle
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from keyturn_credentials.keystores import KeyEntry, KeyPair, KeyPairKind
from keyturn_shared.keystores.errors import InvalidParameterError
from tests.testkit.key_material import certificate, key_pair


def shape(pair: KeyPair) -> tuple[type, int | str]:
    key = pair.public_key
    if isinstance(key, rsa.RSAPublicKey):
        return rsa.RSAPublicKey, key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ec.EllipticCurvePublicKey, key.curve.name
    return type(key), 0


def test_a_key_pair_is_of_the_kind_that_was_asked_for() -> None:
    assert [shape(key_pair(kind)) for kind in KeyPairKind] == [
        (rsa.RSAPublicKey, 2048),
        (rsa.RSAPublicKey, 3072),
        (rsa.RSAPublicKey, 4096),
        (ec.EllipticCurvePublicKey, "secp256r1"),
        (ec.EllipticCurvePublicKey, "secp384r1"),
        (ec.EllipticCurvePublicKey, "secp521r1"),
        (type(ed25519.Ed25519PrivateKey.generate().public_key()), 0),
    ]


@pytest.mark.parametrize("kind", KeyPairKind)
def test_the_private_body_is_that_of_the_key_pair(kind: KeyPairKind) -> None:
    body = key_pair(kind).private_key_body.reveal()
    assert "\n" not in body
    private_key = load_der_private_key(base64.b64decode(body, validate=True), None)
    assert private_key.public_key() == key_pair(kind).public_key


def test_neither_repr_nor_str_nor_format_shows_the_private_key() -> None:
    pair = key_pair(KeyPairKind.P_256)
    private_key = pair.reveal()
    assert isinstance(private_key, ec.EllipticCurvePrivateKey)
    number = private_key.private_numbers().private_value
    entry = KeyEntry("alias", pair, (certificate(),))
    for shown in (repr(pair), str(pair), f"{pair}", repr(entry), repr(pair.private_key_body)):
        assert pair.private_key_body.reveal() not in shown
        assert str(number) not in shown
        assert f"{number:x}" not in shown


@pytest.mark.parametrize("serialise", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_key_pair_is_not_serialised(serialise: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="not serialised"):
        serialise(key_pair(KeyPairKind.P_256))


def test_keycloaks_key_size_names_an_rsa_key_pair() -> None:
    assert KeyPairKind.rsa(3072) is KeyPairKind.RSA_3072


@pytest.mark.parametrize("bits", [1024, 0, -1, 2047, 16384])
def test_another_key_size_is_refused(bits: int) -> None:
    with pytest.raises(InvalidParameterError):
        KeyPairKind.rsa(bits)


def test_an_unknown_kind_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidParameterError, match="Ed25519"):
        KeyPairKind.named("P-224")


def test_an_entry_of_a_key_with_somebody_elses_certificate_is_not_made() -> None:
    with pytest.raises(ValueError, match="does not belong to the key pair"):
        KeyEntry("alias", key_pair(KeyPairKind.P_384), (certificate(KeyPairKind.P_256),))
