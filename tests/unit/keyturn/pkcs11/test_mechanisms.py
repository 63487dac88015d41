"""Mechanisms by ``alg``, as RFC 7518 and PKCS#11 name the same."""

import hashlib

import pytest
from pkcs11.mechanisms import MGF, Mechanism

from keyturn.pkcs11.mechanisms import SIGNING
from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS


def test_every_signature_algorithm_has_a_mechanism() -> None:
    assert SIGNING.keys() == SIGNATURE_ALGORITHMS.keys()


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_rsa_is_hashed_by_the_token_with_a_salt_as_long_as_the_hash(bits: int) -> None:
    pkcs1, pss = SIGNING[f"RS{bits}"], SIGNING[f"PS{bits}"]
    assert (pkcs1.mechanism, pkcs1.parameter) == (Mechanism[f"SHA{bits}_RSA_PKCS"], None)
    assert pss.mechanism is Mechanism[f"SHA{bits}_RSA_PKCS_PSS"]
    assert pss.parameter == (Mechanism[f"SHA{bits}"], MGF[f"SHA{bits}"], bits // 8)
    assert pkcs1.prepared(b"data") == pss.prepared(b"data") == b"data"


@pytest.mark.parametrize(("bits", "octets"), [(256, 64), (384, 96), (512, 132)])
def test_ecdsa_signs_a_hash_that_is_computed_here(bits: int, octets: int) -> None:
    signing = SIGNING[f"ES{bits}"]
    assert (signing.mechanism, signing.size) == (Mechanism.ECDSA, octets)
    assert signing.prepared(b"data") == hashlib.new(f"sha{bits}", b"data").digest()


def test_eddsa_signs_the_data_under_both_names() -> None:
    assert SIGNING["EdDSA"] == SIGNING["Ed25519"]
    assert SIGNING["EdDSA"].mechanism is Mechanism.EDDSA
    assert SIGNING["EdDSA"].prepared(b"data") == b"data"
