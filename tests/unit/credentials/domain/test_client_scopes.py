"""Client scopes of a realm, and what is none."""

from typing import Any

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_scopes import MAX_REALM_SCOPE_BYTES, MAX_SCOPES
from keyturn_credentials.domain.grants import scopes_of
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_realm
from keyturn_credentials.errors import InvalidRequestError

REALM = Realm("r", "acme")
CLIENT = Client("1", "r", "orders")
LISTS = ("defaultDefaultClientScopes", "defaultOptionalClientScopes")


def test_clients_have_no_scopes_of_other_protocols_of_their_realm() -> None:
    scopes = [{"name": "role_list", "protocol": "saml"}, {"name": "roles", "protocol": "openid-connect"}]
    lists = {
        "defaultDefaultClientScopes": ["role_list", "roles"],
        "defaultOptionalClientScopes": ["role_list"],
    }
    realm = change_realm(REALM, {"clientScopes": scopes, **lists})
    assert scopes_of(realm, CLIENT) == (("roles",), ())


def named(count: int) -> list[dict[str, Any]]:
    return [{"name": f"scope-{number}"} for number in range(count)]


def test_a_realm_has_so_many_scopes_and_no_more() -> None:
    assert change_realm(REALM, {"clientScopes": named(MAX_SCOPES)})
    with pytest.raises(InvalidRequestError, match="501 entries; at most 500 are allowed"):
        change_realm(REALM, {"clientScopes": named(MAX_SCOPES + 1)})


def test_the_scopes_that_tokens_have_of_a_realm_are_bounded_together() -> None:
    """Sizes include the space between two names."""
    half = MAX_REALM_SCOPE_BYTES // 512
    names = [f"{number:0255}" for number in range(2 * half)]
    fits = dict(zip(LISTS, (names[:half], names[half:]), strict=True))
    assert change_realm(REALM, fits)
    with pytest.raises(InvalidRequestError, match="at most 4096 are allowed"):
        change_realm(REALM, fits | {LISTS[1]: [*names[half:], "x"]})


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("value", "told"),
    [
        (7, "must be an array"),
        ([7], "must be an array of strings"),
        (["read write"], "printable ASCII without spaces"),
        ([""], "1 to 255 characters"),
    ],
    ids=str,
)
def test_a_list_of_what_is_no_scope_is_refused(name: str, value: Any, told: str) -> None:
    with pytest.raises(InvalidRequestError, match=told):
        change_realm(REALM, {name: value})


@pytest.mark.parametrize(
    ("scopes", "told"),
    [
        ([7], "must be an array of objects"),
        ([{"name": 'a"b'}], "printable ASCII without spaces, quotes"),
        ([{"name": "a"}, {"name": "a"}], "two entries with the name a"),
    ],
    ids=str,
)
def test_what_is_no_client_scope_is_refused(scopes: Any, told: str) -> None:
    with pytest.raises(InvalidRequestError, match=told):
        change_realm(REALM, {"clientScopes": scopes})
