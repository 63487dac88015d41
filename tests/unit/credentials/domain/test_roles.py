"""Permissions of roles, by realm."""

import pytest

from keyturn_credentials.domain.roles import Principal, Role, roles_of
from keyturn_credentials.errors import InvalidRequestError


def principal(realm: str, *roles: Role) -> Principal:
    names = ",".join(roles)
    return Principal(realm, "1", "caller", roles_of({"keyturn.admin.roles": names}))


def test_a_role_holds_those_below_it() -> None:
    assert roles_of({"keyturn.admin.roles": " manage-clients , "}) == {
        Role.MANAGE_CLIENTS,
        Role.CONFIGURE_CLIENTS,
        Role.VIEW_CLIENTS,
    }
    assert roles_of({"keyturn.admin.roles": "admin"}) == set(Role)
    assert roles_of({}) == set()


def test_an_unknown_role_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        InvalidRequestError,
        match="'root' is not an admin role; expected one of view-clients, configure-clients",
    ):
        roles_of({"keyturn.admin.roles": "view-clients,root"})


def test_clients_of_master_have_power_everywhere_and_others_at_home() -> None:
    central, local = (principal(realm, Role.MANAGE_CLIENTS) for realm in ("master", "acme"))
    assert central.may(Role.MANAGE_CLIENTS, "acme")
    assert local.may(Role.MANAGE_CLIENTS, "acme")
    assert not local.may(Role.MANAGE_CLIENTS, "master")
    assert not local.may(Role.MANAGE_CLIENTS, "other")


def test_what_belongs_to_the_whole_can_only_be_held_in_master() -> None:
    local = principal("acme", Role.ADMIN)
    assert local.may(Role.MANAGE_REALM, "acme")
    assert not local.may(Role.CREATE_REALM, "acme")
    assert not local.may(Role.ADMIN, "acme")


def test_nobody_has_power_over_who_holds_more() -> None:
    manager = principal("master", Role.MANAGE_CLIENTS)
    assert manager.may_act_on(frozenset(), "acme")
    assert manager.may_act_on(frozenset({Role.VIEW_CLIENTS}), "acme")
    assert not manager.may_act_on(frozenset({Role.VIEW_CLIENTS, Role.MANAGE_REALM}), "acme")


def test_at_home_power_goes_as_far_as_the_roles_and_ends_at_the_realm() -> None:
    local = principal("acme", Role.MANAGE_CLIENTS)
    assert local.may_act_on(frozenset({Role.VIEW_CLIENTS, Role.CONFIGURE_CLIENTS}), "acme")
    assert not local.may_act_on(frozenset({Role.VIEW_CLIENTS}), "other")
    assert not local.may_act_on(frozenset({Role.MANAGE_REALM}), "acme")


@pytest.mark.parametrize("names", ["manage-clients,view-clients", "view-clients,manage-clients"])
def test_roles_add_up_in_any_order(names: str) -> None:
    assert roles_of({"keyturn.admin.roles": names}) == {
        Role.MANAGE_CLIENTS,
        Role.CONFIGURE_CLIENTS,
        Role.VIEW_CLIENTS,
    }


def test_the_service_itself_may_do_everything_everywhere() -> None:
    system = Principal.system()
    assert (system.client_uuid, system.client_id) == ("", "keyturn")
    assert all(system.may(role, realm) for role in Role for realm in ("master", "acme"))
    assert system.may_act_on(frozenset(Role), "acme")
