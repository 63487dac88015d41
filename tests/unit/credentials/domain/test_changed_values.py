"""Old and new values in the audit log, and never those of a secret."""

from dataclasses import replace

import pytest

from keyturn_credentials.domain.changed_values import (
    MAX_CHARACTERS,
    MAX_VALUES,
    changes_between,
    values_of_client,
    values_of_realm,
)
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm

CLIENT = Client("uuid", "realm-id", "orders", attributes={"team": "a"}, document={"description": "old"})


def test_each_changed_member_has_both_values() -> None:
    after = replace(
        CLIENT,
        enabled=False,
        attributes={"team": "b", "keyturn.secret.expiration-period": "60"},
        document={"redirectUris": ["https://a.example"]},
    )
    assert changes_between(values_of_client(CLIENT), values_of_client(after)) == {
        "attributes.keyturn.secret.expiration-period": {"from": None, "to": "60"},
        "attributes.team": {"from": "a", "to": "b"},
        "description": {"from": "old", "to": None},
        "enabled": {"from": True, "to": False},
        "redirectUris": {"from": None, "to": ["https://a.example"]},
    }


@pytest.mark.parametrize(
    "name",
    ["client.secret", "db_password", "vault.token", "API-Key", "aws.credentials", "private.key", "hmac-seed"],
)
def test_an_attribute_that_may_be_a_secret_is_left_out(name: str) -> None:
    after = replace(CLIENT, attributes={"team": "a", name: "s3cret"})
    assert changes_between(values_of_client(CLIENT), values_of_client(after)) == {}


def test_values_are_cut_and_counted() -> None:
    many = {f"a{number:03}": "x" * 1000 for number in range(100)}
    found = changes_between({}, values_of_client(replace(CLIENT, attributes=many)))
    assert len(found) == MAX_VALUES
    assert found["attributes.a000"]["to"] == "x" * MAX_CHARACTERS + "…"


def test_a_realm_has_values_too() -> None:
    realm = Realm("realm-id", "acme", document={"accessTokenLifespan": 300})
    after = replace(realm, name="shop", document={"accessTokenLifespan": 60})
    assert changes_between(values_of_realm(realm), values_of_realm(after)) == {
        "accessTokenLifespan": {"from": 300, "to": 60},
        "realm": {"from": "acme", "to": "shop"},
    }
