"""A private key is refused in every member, and nothing else is taken for one."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_client, change_realm
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.signing import SigningKey

EC = ec.generate_private_key(ec.SECP256R1())
KEYS: list[PrivateKeyTypes] = [
    EC,
    rsa.generate_private_key(65537, 2048),
    ed25519.Ed25519PrivateKey.generate(),
]
PRIVATE_JWK = json.loads(SigningKey(EC, "ES256").export_private_jwk())
PUBLIC_JWK = SigningKey(EC, "ES256").public_jwk
CLIENT = Client("1", "acme", "orders")


def encoded() -> list[str]:
    found = []
    for key in KEYS:
        formats = [PrivateFormat.PKCS8]
        formats += [PrivateFormat.TraditionalOpenSSL] if key is not KEYS[2] else []
        for each in formats:
            found.append(key.private_bytes(Encoding.PEM, each, NoEncryption()).decode())
            found.append(base64.b64encode(key.private_bytes(Encoding.DER, each, NoEncryption())).decode())
    return found


@pytest.mark.parametrize("number", range(10))
def test_an_attribute_with_a_private_key_is_refused(number: int) -> None:
    text = encoded()[number]
    with pytest.raises(InvalidRequestError, match=r"^note: a private key"):
        change_client(CLIENT, {"attributes": {"note": text}})


@pytest.mark.parametrize(
    "value",
    [
        PRIVATE_JWK,
        {"keys": [PRIVATE_JWK]},
        [{"config": {"jwks": json.dumps({"keys": [PRIVATE_JWK]})}}],
        {"kty": "oct", "k": "c2VjcmV0"},
        {"a": [{"b": EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()}]},
    ],
)
def test_a_private_key_anywhere_in_a_representation_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"^registeredNodes: a private key"):
        change_client(CLIENT, {"registeredNodes": value})
    with pytest.raises(InvalidRequestError, match=r"^groups: a private key"):
        change_realm(Realm("1", "acme"), {"groups": value})


def test_an_inline_key_set_with_a_private_key_is_refused_though_it_is_not_in_use() -> None:
    attributes = {"use.jwks.string": "false", "jwks.string": json.dumps({"keys": [PRIVATE_JWK]})}
    with pytest.raises(InvalidRequestError, match=r"^jwks\.string: a private key"):
        change_client(CLIENT, {"attributes": attributes})


def test_public_keys_and_other_values_are_kept() -> None:
    public = [key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in KEYS]
    attributes = {f"key-{n}": base64.b64encode(octets).decode() for n, octets in enumerate(public)}
    attributes |= {"jwks.string": json.dumps({"keys": [PUBLIC_JWK]}), "d": "M", "kty": 'not "kty" JSON {'}
    assert change_client(CLIENT, {"attributes": attributes}).attributes == attributes
    other = {"kty": 1, "d": "day", "list": [None, 1.5, True, PUBLIC_JWK]}
    assert change_client(CLIENT, {"registeredNodes": other}).document == {"registeredNodes": other}


def test_keycloaks_own_attributes_for_private_keys_are_dropped() -> None:
    """A client that is read from Keycloak and written here keeps working."""
    attributes = {f"{prefix}.private.key": encoded()[1] for prefix in ("jwt.credential", "saml.signing")}
    assert change_client(CLIENT, {"attributes": attributes}).attributes == {}


def test_what_a_realms_export_has_of_other_secrets_is_dropped() -> None:
    export = {
        "components": {"org.keycloak.keys.KeyProvider": [{"config": {"privateKey": [encoded()[1]]}}]},
        "smtpServer": {"password": "x"},
        "users": [{"credentials": [{"value": "x"}]}],
        "identityProviders": [{"config": {"clientSecret": "x"}}],
        "privateKey": encoded()[0],
        "displayName": "Acme",
    }
    assert change_realm(Realm("1", "acme"), export).document == {"displayName": "Acme"}
