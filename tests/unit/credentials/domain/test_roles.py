"""Permissions of roles, by realm."""

import pytest

from keyturn_credentials.domain.roles import Person, Principal, Role, roles_of
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


ADA = Person("https://id.example", "1", "caller")


def test_a_person_has_the_roles_of_each_realm_there_and_those_of_master_everywhere() -> None:
    view, manage = roles_of({"keyturn.admin.roles": "view-clients"}), frozenset({Role.MANAGE_REALM})
    person = Principal.of_person(ADA, {"shop": view, "acme": manage})
    assert (person.realm, person.realms) == ("acme", ("acme", "shop"))
    assert [person.may(Role.VIEW_CLIENTS, realm) for realm in ("shop", "acme", "master")] == [
        True,
        False,
        False,
    ]
    assert [person.may(Role.MANAGE_REALM, realm) for realm in ("shop", "acme", "other")] == [
        False,
        True,
        False,
    ]
    assert person.may_act_on(view, "shop")
    assert not person.may_act_on(view | manage, "shop")
    everywhere = Principal.of_person(ADA, {"acme": manage, "master": view})
    assert everywhere.realm == "master"
    assert everywhere.may(Role.VIEW_CLIENTS, "acme")
    assert everywhere.may(Role.MANAGE_REALM, "acme")
    assert not everywhere.may(Role.MANAGE_REALM, "shop")


def test_what_belongs_to_the_whole_is_no_role_of_a_person_in_another_realm() -> None:
    person = Principal.of_person(ADA, {"shop": frozenset(Role)})
    assert not person.may(Role.ADMIN, "shop")
    assert not person.may(Role.CREATE_REALM, "master")


def test_a_person_is_no_client_of_that_name_and_nobody_else() -> None:
    person = Principal.of_person(ADA, {"acme": frozenset(Role)})
    renamed = Principal.of_person(Person(ADA.issuer, ADA.subject, "Ada"), {"acme": frozenset(Role)})
    other = Principal.of_person(Person("https://other.example", "1", "caller"), {"acme": frozenset(Role)})
    client = Principal("acme", "1", "caller", frozenset(Role))
    assert person.identity == renamed.identity
    assert len({person.identity, other.identity, client.identity}) == 3


def test_the_service_itself_may_do_everything_everywhere() -> None:
    system = Principal.system()
    assert (system.client_uuid, system.client_id) == ("", "keyturn")
    assert all(system.may(role, realm) for role in Role for realm in ("master", "acme"))
    assert system.may_act_on(frozenset(Role), "acme")
