"""The page of Keycloak's addresses is the one that its command writes."""

from tests.keycloak.addresses import (
    ADDRESSES,
    COMMAND,
    DESCRIPTION,
    NO_EFFECT,
    PAGE,
    current_page,
    page,
    read_addresses,
    served_addresses,
    shape,
)


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == current_page(), f"run {COMMAND}"


def test_the_list_has_addresses_of_every_part_of_the_api() -> None:
    addresses = read_addresses(ADDRESSES.read_text())
    assert len(addresses) == len(set(addresses)) > 400
    assert ("POST", "/admin/realms/{realm}/clients/{client-uuid}/client-secret") in addresses
    assert ("POST", "/admin/realms/{realm}/clear-keys-cache") in addresses


def test_what_is_without_effect_is_served() -> None:
    assert served_addresses(DESCRIPTION.read_text()) >= NO_EFFECT.keys()


def test_names_of_parameters_do_not_matter() -> None:
    assert shape("/clients/{client-uuid}/keys/{id}") == "/clients/{}/keys/{}"


def test_methods_are_told_apart() -> None:
    text = page(
        [("GET", "/admin/realms/{r}/x"), ("PUT", "/admin/realms/{r}/x")], {("GET", "/admin/realms/{}/x")}
    )
    assert "| `/admin/realms/{r}/x` | GET |  | PUT |" in text
    assert "Of 2 addresses with their methods, 1 work, 0 are without effect, 1 are not served." in text
