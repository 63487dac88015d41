"""Roles by group."""

import json

import pytest

from keyturn_credentials.domain.roles import Role
from keyturn_credentials.oidc.role_mapping import MAX_GROUPS, RoleMapping, key_of
from keyturn_shared.errors import ConfigurationError


def test_the_roles_of_several_groups_add_up_and_imply_others() -> None:
    mapping = RoleMapping.parse(
        json.dumps(
            {
                "view": {"shop": ["view-clients"], "acme": ["manage-realm"]},
                "configure": {"shop": ["configure-clients"]},
                "unused": {"master": ["admin"]},
            }
        )
    )
    keys = mapping.keys_among(["view", "configure", "of nobody"])
    assert len(keys) == 2
    assert mapping.roles_of(keys) == {
        "shop": {Role.VIEW_CLIENTS, Role.CONFIGURE_CLIENTS},
        "acme": {Role.MANAGE_REALM},
    }
    assert mapping.roles_of([key_of("of nobody")]) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("admins=admin", "expected JSON"),
        ("{}", "0 groups"),
        (json.dumps({str(n): {"master": ["admin"]} for n in range(MAX_GROUPS + 1)}), "65 groups"),
        ('{"a": {"master": ["admin"]}, "a": {"master": ["admin"]}}', "twice"),
        ('{"": {"master": ["admin"]}}', "1 to 255 characters"),
        ('{"a": ["admin"]}', "an object of realms"),
        ('{"a": {}}', "an object of realms"),
        ('{"a": {"master": "admin"}}', "a list of admin roles"),
        ('{"a": {"master": []}}', "a list of admin roles"),
        ('{"a": {"master": [1]}}', "a list of admin roles"),
        ('{"a": {"master": ["root"]}}', "'root' is not an admin role"),
        ('{"a": {"shop": ["admin"]}}', "admin exists in master only"),
        ('{"a": {"shop": ["create-realm", "view-clients"]}}', "create-realm exists in master only"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        RoleMapping.parse(text)


def test_every_wrong_group_is_named() -> None:
    with pytest.raises(ConfigurationError) as refused:
        RoleMapping.parse('{"a": 1, "b": {"master": ["admin"]}, "c": {"master": ["root"]}}')
    assert [line[:9] for line in refused.value.detail.split("\n")] == ["group 'a'", "group 'c'"]
