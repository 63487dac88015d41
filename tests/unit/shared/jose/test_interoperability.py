"""Tokens and keys are interchangeable between keyturn and its callers' libraries."""

from collections.abc import Callable
from typing import Any

import jwcrypto.jwk
import jwcrypto.jwt
import jwt
import pytest
from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.algorithms import SYMMETRIC_NAMES
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.symmetric import SymmetricKey
from keyturn_shared.jose.verify import verify_signature
from keyturn_shared.secret import Secret
from tests.unit.shared.jose.scene import CLAIMS, signing_key

COMMON = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    *sorted(SYMMETRIC_NAMES),
]
# joserfc, and Authlib with it, warns about the name that RFC 9864 deprecates; the others know only that one.
OLDER_NAMES = [*COMMON, "EdDSA"]
NEWER_NAMES = [*COMMON, "Ed25519"]
SECRET = "a secret of sixty-four octets, long enough for all three HMACs.."

Jwk = dict[str, Any]


def _private_jwk(alg: str) -> Jwk:
    if alg in SYMMETRIC_NAMES:
        return dict(joserfc_jwk.OctKey.import_key(SECRET).as_dict())
    return strict_json.decode_object(signing_key(alg).export_private_jwk())


def _sign_by_pyjwt(alg: str, key: Jwk) -> str:
    return jwt.encode(CLAIMS, jwt.PyJWK(key, algorithm=alg).key, algorithm=alg, headers={"kid": alg})


def _sign_by_joserfc(alg: str, key: Jwk) -> str:
    return joserfc_jwt.encode({"alg": alg, "kid": alg}, CLAIMS, joserfc_jwk.import_key(key), algorithms=[alg])


def _sign_by_jwcrypto(alg: str, key: Jwk) -> str:
    token = jwcrypto.jwt.JWT({"alg": alg, "kid": alg}, CLAIMS)
    token.make_signed_token(jwcrypto.jwk.JWK(**key))
    return str(token.serialize())


def _sign_by_authlib(alg: str, key: Jwk) -> str:
    claims = {"jti": CLAIMS["jti"]}
    header = {"alg": alg, "kid": alg}
    return str(
        sign_jwt_bearer_assertion(
            key, CLAIMS["iss"], CLAIMS["aud"], CLAIMS["sub"], CLAIMS["iat"], CLAIMS["exp"], claims, header
        )
    )


@pytest.mark.parametrize(
    ("sign", "alg"),
    [
        *((sign, alg) for sign in (_sign_by_pyjwt, _sign_by_jwcrypto) for alg in OLDER_NAMES),
        *((sign, alg) for sign in (_sign_by_joserfc, _sign_by_authlib) for alg in NEWER_NAMES),
    ],
)
def test_their_tokens_verify_here(sign: Callable[[str, Jwk], str], alg: str) -> None:
    token = parse_compact(sign(alg, _private_jwk(alg)))
    if alg in SYMMETRIC_NAMES:
        verify_signature(token, SymmetricKey(Secret(SECRET)))
    else:
        verify_signature(token, signing_key(alg).verification_key)
    assert token.claims == CLAIMS


def _read_by_pyjwt(alg: str, key: Jwk, token: str) -> dict[str, Any]:
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    return jwt.decode(token, jwt.PyJWK(key, algorithm=alg).key, algorithms=[alg], options=options)


def _read_by_joserfc(alg: str, key: Jwk, token: str) -> dict[str, Any]:
    return dict(joserfc_jwt.decode(token, joserfc_jwk.import_key(key), algorithms=[alg]).claims)


def _read_by_jwcrypto(alg: str, key: Jwk, token: str) -> dict[str, Any]:
    read = jwcrypto.jwt.JWT(algs=[alg], check_claims={"exp": None}, expected_type="JWS")
    read.leeway = 10**9
    read.deserialize(token, jwcrypto.jwk.JWK(**key))
    return strict_json.decode_object(read.claims.encode())


@pytest.mark.parametrize(
    ("read", "alg"),
    [
        *(
            (read, alg)
            for read in (_read_by_pyjwt, _read_by_jwcrypto)
            for alg in OLDER_NAMES
            if alg not in SYMMETRIC_NAMES
        ),
        *((_read_by_joserfc, alg) for alg in NEWER_NAMES if alg not in SYMMETRIC_NAMES),
    ],
)
def test_our_tokens_verify_there(read: Callable[[str, Jwk, str], dict[str, Any]], alg: str) -> None:
    key = signing_key(alg)
    assert read(alg, key.public_jwk, key.sign_compact(key.header_segment(), CLAIMS)) == CLAIMS


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "Ed25519"])
def test_thumbprints_agree(alg: str) -> None:
    """The thumbprints of joserfc and jwcrypto, for many keys."""
    for _ in range(20):
        key = SigningKey.generate(alg)
        jwk: Any = key.public_jwk
        assert key.verification_key.thumbprint == joserfc_jwk.import_key(jwk).thumbprint()
        assert key.verification_key.thumbprint == jwcrypto.jwk.JWK(**jwk).thumbprint()


def test_rsa_thumbprints_agree() -> None:
    jwk: Any = signing_key("RS256").public_jwk
    assert joserfc_jwk.import_key(jwk).thumbprint() == signing_key("RS256").verification_key.thumbprint
    assert jwcrypto.jwk.JWK(**jwk).thumbprint() == signing_key("RS256").verification_key.thumbprint


@pytest.mark.parametrize(
    "generated",
    [
        joserfc_jwk.RSAKey.generate_key(2048),
        *(joserfc_jwk.ECKey.generate_key(crv) for crv in ("P-256", "P-384", "P-521")),
        joserfc_jwk.OKPKey.generate_key("Ed25519"),
    ],
)
def test_their_keys_are_read(generated: Any) -> None:
    """joserfc's keys, private ones too if they name their algorithm."""
    public = VerificationKey.from_jwk(generated.as_dict(private=False))
    assert public.thumbprint == generated.thumbprint()
    private = {**generated.as_dict(private=True), "alg": public.algorithms[0].name}
    assert (
        SigningKey.from_private_jwk(strict_json.encode(private)).verification_key.thumbprint
        == public.thumbprint
    )
