"""Clients are found in order, page by page, and nothing in a query is taken for a pattern."""

import pytest

from keyturn_credentials.store.search import Criteria, find_after, find_page
from tests.conformance.store.conftest import ACTOR, Instance

NAMES = ["100%", "A_b", "Axb", "a-b", "orders", "Orders-eu", "ünïcode", "\U0001f511"]


@pytest.fixture
async def realm_id(instance: Instance) -> str:
    realm = (await instance.operations.realms.create(ACTOR, {"realm": "acme"})).value
    for name in NAMES:
        values = {"clientId": name, "attributes": {"first": name[0], "all": "yes"}}
        await instance.operations.clients.create(ACTOR, "acme", values)
    return realm.id


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (Criteria(), sorted(NAMES)),
        (Criteria("orders"), ["orders"]),
        (Criteria("order"), []),
        (Criteria("ORDERS", is_part=True), ["Orders-eu", "orders"]),
        (Criteria("%", is_part=True), ["100%"]),
        (Criteria("_", is_part=True), ["A_b"]),
        (Criteria("", is_part=True), sorted(NAMES)),
        (Criteria(attributes={"first": "A"}), ["A_b", "Axb"]),
        (Criteria("x", is_part=True, attributes={"first": "A", "all": "yes"}), ["Axb"]),
        (Criteria(attributes={"first": "A", "all": "no"}), []),
    ],
)
async def test_criteria(instance: Instance, realm_id: str, criteria: Criteria, expected: list[str]) -> None:
    async with instance.store.read() as reading:
        found = await find_page(reading, realm_id, criteria, first=0, most=100)
    assert [client.client_id for client in found] == expected


async def test_pages_join_up(instance: Instance, realm_id: str) -> None:
    async with instance.store.read() as reading:
        pages = [await find_page(reading, realm_id, Criteria(), first=n, most=3) for n in (0, 3, 6, 9)]
        keyset = [await find_after(reading, realm_id, Criteria(), after="A_b", most=2)]
    assert [client.client_id for page in pages for client in page] == sorted(NAMES)
    assert [client.client_id for client in keyset[0]] == ["Axb", "Orders-eu"]


async def test_a_changed_or_removed_attribute_is_not_found_any_more(
    instance: Instance, realm_id: str
) -> None:
    async with instance.store.read() as reading:
        client = await reading.clients.find(realm_id, "orders")
    assert client is not None
    values = {"attributes": {"first": "z", "all": ""}}
    await instance.operations.clients.update(ACTOR, "acme", client.uuid, values)
    async with instance.store.read() as reading:
        for name, value, count in (("first", "o", 0), ("first", "z", 1), ("all", "yes", len(NAMES) - 1)):
            criteria = Criteria(attributes={name: value})
            assert len(await find_page(reading, realm_id, criteria, first=0, most=100)) == count
