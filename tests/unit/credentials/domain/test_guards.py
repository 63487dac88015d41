"""Checks that an object exists, in the version that the caller has seen."""

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.guards import require_client, require_realm, require_version
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import NotFoundError, PreconditionFailedError


def test_what_is_there_is_given_back_and_what_is_not_is_not_found() -> None:
    realm, client = Realm("id", "acme"), Client("uuid", "id", "orders")
    assert require_realm(realm) is realm
    assert require_client(client) is client
    with pytest.raises(NotFoundError, match=r"^Realm not found\.$"):
        require_realm(None)
    with pytest.raises(NotFoundError, match=r"^Could not find client$"):
        require_client(None)


@pytest.mark.parametrize("expected", [None, frozenset({3}), frozenset({2, 3})])
def test_a_version_that_the_caller_has_seen_may_be_changed(expected: frozenset[int] | None) -> None:
    require_version(3, expected)


@pytest.mark.parametrize("expected", [frozenset[int](), frozenset({2}), frozenset({2, 4})])
def test_another_version_is_refused(expected: frozenset[int]) -> None:
    with pytest.raises(PreconditionFailedError):
        require_version(3, expected)
