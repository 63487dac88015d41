"""The algorithms as RFC 7518 has them: hash, padding and salt of each name, and the curves' encodings."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn_shared.jose.algorithms import ECDSA_ALGORITHMS, RSA_ALGORITHMS, EcdsaAlgorithm, _rsa
from keyturn_shared.jose.public_keys import _BEFORE_POINT, _before_point


def test_each_rsa_algorithm_has_the_hash_padding_and_salt_of_its_name() -> None:
    """Sections 3.3 and 3.5. Made anew here, since the table is made with the module."""
    made = _rsa()
    assert [each.name for each in made] == ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
    assert [each.name for each in made] == [each.name for each in RSA_ALGORITHMS]
    for each in made:
        assert each.hash.name == f"sha{each.name[2:]}"
        assert isinstance(each.padding, padding.PSS if each.name.startswith("PS") else padding.PKCS1v15)
        if isinstance(each.padding, padding.PSS):
            assert each.padding._salt_length == each.hash.digest_size
            assert each.padding.mgf._algorithm.name == each.hash.name


@pytest.mark.parametrize("algorithm", ECDSA_ALGORITHMS, ids=lambda each: each.name)
def test_a_point_is_all_that_differs_between_keys_of_a_curve(algorithm: EcdsaAlgorithm) -> None:
    key = ec.generate_private_key(algorithm.curve).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert _before_point(algorithm) == _BEFORE_POINT[algorithm.crv] == spki[: -2 * algorithm.size]
