"""Clients are found in order, page by page, and no part of a query is taken for a pattern."""

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyturn_credentials.domain.client_ids import check_client_id
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.store import id_search, substring_search
from keyturn_credentials.store.client_search import find_after, find_page
from keyturn_credentials.store.search_query import Criteria
from tests.conformance.store.conftest import ACTOR, Instance

NAMES = ["100%", "A_b", "Axb", "a-b", "orders", "Orders-eu", "ünïcode", "\U0001f511"]


@pytest.fixture
async def realm_id(instance: Instance) -> str:
    realm = (await instance.operations.realms.create(ACTOR, {"realm": "acme"})).value
    for name in NAMES:
        values = {"clientId": name, "attributes": {"first": name[0], "all": "yes"}}
        await instance.operations.clients.create(ACTOR, "acme", values)
    return realm.id


@pytest.fixture(params=[0, 16], ids="{} blocks".format)
def looked_into(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Varies how many blocks are searched before the index of parts is used."""
    monkeypatch.setattr(substring_search, "_BLOCKS", request.param)


EXPECTED = [
    (Criteria(), sorted(NAMES)),
    (Criteria("orders"), ["orders"]),
    (Criteria("order"), []),
    (Criteria("ORDERS", is_part=True), ["Orders-eu", "orders"]),
    (Criteria("ERS-", is_part=True), ["Orders-eu"]),
    (Criteria("ïco", is_part=True), ["ünïcode"]),
    (Criteria("ÏCO", is_part=True), []),
    (Criteria('"o"', is_part=True), []),
    (Criteria("100%", is_part=True), ["100%"]),
    (Criteria("orders", is_part=True, attributes={"all": "yes"}), ["Orders-eu", "orders"]),
    (Criteria("orders", attributes={"all": "yes"}), ["orders"]),
    (Criteria("%", is_part=True), ["100%"]),
    (Criteria("_", is_part=True), ["A_b"]),
    (Criteria("", is_part=True), sorted(NAMES)),
    (Criteria(attributes={"first": "A"}), ["A_b", "Axb"]),
    (Criteria("x", is_part=True, attributes={"first": "A", "all": "yes"}), ["Axb"]),
    (Criteria(attributes={"first": "A", "all": "no"}), []),
]


@pytest.mark.usefixtures("looked_into")
async def test_criteria(instance: Instance, realm_id: str, subtests: pytest.Subtests) -> None:
    for criteria, expected in EXPECTED:
        with subtests.test(str(criteria)):
            async with instance.store.read() as reading:
                found = await find_page(reading, realm_id, criteria, first=0, most=100)
            assert [client.client_id for client in found] == expected


async def test_pages_join_up(instance: Instance, realm_id: str) -> None:
    async with instance.store.read() as reading:
        pages = [await find_page(reading, realm_id, Criteria(), first=n, most=3) for n in (0, 3, 6, 9)]
        keyset = [await find_after(reading, realm_id, Criteria(), after="A_b", most=2)]
    assert [client.client_id for page in pages for client in page] == sorted(NAMES)
    assert [client.client_id for client in keyset[0]] == ["Axb", "Orders-eu"]


async def test_there_is_nothing_beyond_the_end(instance: Instance, realm_id: str) -> None:
    for criteria in (Criteria(), Criteria("o", is_part=True), Criteria("ord", is_part=True)):
        for first in (9, 2**20, 2**31):
            async with instance.store.read() as reading:
                assert await find_page(reading, realm_id, criteria, first=first, most=100) == []


async def test_the_rarest_attribute_leads_whichever_is_named_first(
    instance: Instance, realm_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attributes are counted as far as that is worthwhile, and no further."""
    wanted = {"all": "yes", "first": "A"}
    rarest = ["first", "all"]
    for counted, expected in (((9,), rarest), ((1, 9), rarest), ((1, 2), list(wanted))):
        monkeypatch.setattr(id_search, "_COUNTED", counted)
        async with instance.store.read() as reading:
            ordered = await id_search._order_by_rarity(reading, realm_id, wanted)
        assert [name for name, _ in ordered] == expected


async def test_a_changed_or_removed_attribute_is_not_found_any_more(
    instance: Instance, realm_id: str
) -> None:
    async with instance.store.read() as reading:
        client = await reading.clients.find(realm_id, "orders")
    assert client is not None
    values = {"attributes": {"first": "z", "all": ""}}
    await instance.operations.clients.update(ClientTarget(ACTOR, "acme", client.uuid), values)
    async with instance.store.read() as reading:
        for name, value, count in (("first", "o", 0), ("first", "z", 1), ("all", "yes", len(NAMES) - 1)):
            criteria = Criteria(attributes={name: value})
            assert len(await find_page(reading, realm_id, criteria, first=0, most=100)) == count


@pytest.mark.usefixtures("looked_into")
async def test_pages_of_what_has_a_part_in_common_join_up(instance: Instance, realm_id: str) -> None:
    for name in ("Border", "disorder", "reorder"):
        await instance.operations.clients.create(ACTOR, "acme", {"clientId": name})
    criteria = Criteria("order", is_part=True)
    async with instance.store.read() as reading:
        pages = [await find_page(reading, realm_id, criteria, first=n, most=2) for n in (0, 2, 4)]
        after = await find_after(reading, realm_id, criteria, after="Orders-eu", most=9)
    found = [client.client_id for page in pages for client in page]
    assert found == ["Border", "Orders-eu", "disorder", "orders", "reorder"]
    assert [client.client_id for client in after] == found[2:]


async def test_a_renamed_and_a_deleted_client_are_found_by_nothing_of_before(
    instance: Instance, realm_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(substring_search, "_BLOCKS", 0)
    async with instance.store.read() as reading:
        orders, european = [await reading.clients.find(realm_id, name) for name in ("orders", "Orders-eu")]
        assert orders is not None
        assert european is not None
    await instance.operations.clients.update(
        ClientTarget(ACTOR, "acme", orders.uuid), {"clientId": "payments"}
    )
    await instance.operations.clients.delete(ClientTarget(ACTOR, "acme", european.uuid))
    expected = [
        (Criteria("order", is_part=True), []),
        (Criteria("ayment", is_part=True), ["payments"]),
        (Criteria(attributes={"first": "o"}), ["payments"]),
        (Criteria(attributes={"first": "O"}), []),
        (Criteria(), sorted({*NAMES, "payments"} - {"orders", "Orders-eu"})),
    ]
    async with instance.store.read() as reading:
        for criteria, names in expected:
            found = await find_page(reading, realm_id, criteria, first=0, most=100)
            assert [client.client_id for client in found] == names
    await instance.operations.realms.delete(RealmTarget(ACTOR, "acme"))
    async with instance.store.read() as reading:
        for criteria, _ in expected:
            assert await find_page(reading, realm_id, criteria, first=0, most=100) == []


NAME_CHARACTERS = string.ascii_letters + string.digits + "-_.:%'\"*()äÄİß日🔑 "


def is_client_id(text: str) -> bool:
    try:
        check_client_id(text)
    except InvalidRequestError:
        return False
    return True


def folded(text: str) -> str:
    return text.encode().lower().decode()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_what_is_found_is_what_python_finds(instance: Instance, data: st.DataObject) -> None:
    """Substrings of any characters, over ids of any characters, by each search path."""
    async with instance.store.read() as reading:
        realm = await reading.realms.get("any")
        known = [] if realm is None else await find_page(reading, realm.id, Criteria(), first=0, most=1000)
    names = {client.client_id for client in known}
    if realm is None:
        realm = (await instance.operations.realms.create(ACTOR, {"realm": "any"})).value
    name = data.draw(st.text(NAME_CHARACTERS, min_size=1, max_size=12).filter(is_client_id), "name")
    if name not in names:
        await instance.operations.clients.create(ACTOR, "any", {"clientId": name})
        names.add(name)
    start = data.draw(st.integers(0, len(name) - 1), "start")
    part = data.draw(
        st.just(name[start : start + 5]) | st.text(NAME_CHARACTERS, min_size=1, max_size=5), "part"
    )
    first, most = data.draw(st.integers(0, 3), "first"), data.draw(st.integers(1, 4), "most")
    expected = sorted(each for each in names if folded(part) in folded(each))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(substring_search, "_BLOCKS", data.draw(st.sampled_from([0, 16]), "blocks"))
        async with instance.store.read() as reading:
            found = await find_page(reading, realm.id, Criteria(part, is_part=True), first=first, most=most)
    assert [client.client_id for client in found] == expected[first : first + most]
