"""Chains: found in any order, by signature and not only by name, within limits."""

from datetime import timedelta
from itertools import permutations

import pytest
from cryptography import x509

from keyturn_credentials.keystores.chains import issuers_of, ordered
from keyturn_credentials.keystores.errors import BrokenChainError
from keyturn_shared.keystores.errors import LimitExceededError
from tests.testkit.key_material import NOW, chain_of_three, issued


@pytest.mark.parametrize("given", list(permutations(range(3))))
def test_a_chain_comes_out_leaf_first_in_whatever_order_it_came(given: tuple[int, ...]) -> None:
    assert ordered([chain_of_three()[i] for i in given], NOW) == chain_of_three()


def test_a_certificate_that_occurs_twice_counts_once() -> None:
    assert ordered([*chain_of_three(), *chain_of_three()], NOW) == chain_of_three()


def test_a_chain_without_its_root_is_a_chain() -> None:
    assert ordered(chain_of_three()[:2], NOW) == chain_of_three()[:2]


def test_certificates_that_are_not_one_chain_are_named() -> None:
    leaf, intermediate, _ = chain_of_three()
    stranger = issued("stranger", "stranger")
    with pytest.raises(BrokenChainError, match=r"CN=leaf; CN=stranger each begin one"):
        ordered([leaf, intermediate, stranger], NOW)


def test_a_missing_intermediate_breaks_the_chain() -> None:
    leaf, _, root = chain_of_three()
    with pytest.raises(BrokenChainError):
        ordered([leaf, root], NOW)


def test_an_issuer_of_the_right_name_with_another_key_is_not_the_issuer() -> None:
    leaf, _, root = chain_of_three()
    impostor = issued("intermediate", "root", number=3, issuer_number=2)
    with pytest.raises(BrokenChainError):
        ordered([leaf, impostor, root], NOW)
    assert issuers_of(leaf, [impostor, root], NOW) == (leaf,)


def test_certificates_that_issue_each_other_have_no_leaf() -> None:
    one, other = issued("one", "other", number=0, issuer_number=1), issued("other", "one", number=1)
    with pytest.raises(BrokenChainError):
        ordered([one, other], NOW)


def test_of_two_certificates_of_one_issuer_the_valid_one_is_taken() -> None:
    leaf, intermediate, root = chain_of_three()
    expired = issued("intermediate", "root", number=1, issuer_number=2, end=NOW - timedelta(hours=1))
    assert issuers_of(leaf, [expired, root, intermediate], NOW) == (leaf, intermediate, root)


def test_a_chain_longer_than_any_honest_one_is_refused() -> None:
    chain: list[x509.Certificate] = [issued(str(i), str(i + 1)) for i in range(21)]
    with pytest.raises(LimitExceededError):
        issuers_of(chain[0], chain[1:], NOW)
    with pytest.raises(LimitExceededError):
        ordered(chain, NOW)


def test_many_issuers_of_one_name_are_not_all_tried() -> None:
    leaf, impostor = issued("leaf", "issuer"), issued("issuer", "issuer", number=1, issuer_number=1)
    with pytest.raises(LimitExceededError, match="same name"):
        issuers_of(leaf, [impostor] * 101, NOW)
