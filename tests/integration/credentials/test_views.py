"""The console's views of a realm: expiring secrets, events, JWKS URLs, and the ages of keys."""

import time

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from sqlalchemy import select

from keyturn_credentials.store.database import Database
from keyturn_credentials.store.tables import clients
from keyturn_shared.fleet.last_used import LastUsedRegistry, name_of_key, name_of_secret
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import KeySetRecord, encode_record
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.signed_log.keys import FETCHER, LogSigningKeys
from tests.testkit.admin_api import AdminApi

DAY = 86_400
POLICY = {
    "keyturn.secret.expiration-period": str(30 * DAY),
    "keyturn.secret.rotated-expiration-period": str(2 * DAY),
    "keyturn.secret.remaining-rotation-period": str(10 * DAY),
}


def fetchers_of(api: AdminApi) -> KeySetSeal:
    """Return the seal of the fleet's own fetchers."""
    fleet_keys = api.settings.fleet_keys.get_secret_value()
    return KeySetSeal(LogSigningKeys.derived_from(fleet_keys, FETCHER), FetcherKeys())


async def test_the_list_of_expiring_secrets_has_those_that_end_soonest_first(api: AdminApi) -> None:
    await api.create("", {"realm": "shop", "attributes": POLICY})
    await api.create("/shop/clients", {"clientId": "calm"})
    own = {"keyturn.secret.expiration-period": str(5 * DAY)}
    rotated = await api.create("/shop/clients", {"clientId": "busy", "attributes": own})
    assert (await api.call("POST", f"/shop/clients/{rotated}/client-secret")).status_code == 200
    both = await api.create("/shop/clients", {"clientId": "both"})
    await api.call("POST", f"/shop/clients/{both}/client-secret")
    listed = (await api.call("GET", "/shop/expiring-secrets")).json()
    assert [(entry["client_id"], entry["stage"]) for entry in listed] == [
        ("both", "overlapping"),
        ("busy", "in_force"),
        ("calm", "in_force"),
    ]
    assert [entry["own_policy"] for entry in listed] == [False, True, False]
    assert listed[0]["next_at"] == listed[0]["former_ends_at"] == pytest.approx(time.time() + 2 * DAY, abs=60)
    assert listed[1]["expires_at"] == pytest.approx(time.time() + 5 * DAY, abs=60)
    assert listed[2]["due_at"] == pytest.approx(time.time() + 20 * DAY, abs=60)


async def test_events_can_be_narrowed_and_gone_through(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    await api.create("/master/clients", {"clientId": "billing"})
    await api.call("PUT", f"/master/clients/{uuid}", json={"clientId": "orders-2"})
    every = (await api.call("GET", "/master/event-log")).json()
    assert [event["sequence"] for event in every] == [5, 4, 3, 2, 1]
    assert every[0]["details"] == {"previous_client_id": "orders"}
    created = (await api.call("GET", "/master/event-log?type=client_created&before=5&max=2")).json()
    assert [event["client_id"] for event in created] == ["billing", "orders"]
    renamed = (await api.call("GET", "/master/event-log?client_id=orders")).json()
    assert [event["type"] for event in renamed] == ["client_created"]
    assert [event["sequence"] for event in (await api.call("GET", "/master/event-log?after=4")).json()] == [5]
    assert (await api.call("GET", "/master/event-log?after=x")).status_code == 400


async def test_jwks_urls_are_listed_with_what_the_fleet_knows(api: AdminApi, redis: Redis) -> None:
    key = SigningKey.generate("ES256")
    url = "https://orders.example/jwks"
    attributes = {"use.jwks.url": "true", "jwks.url": url}
    known = await api.create(
        "/master/clients",
        {"clientId": "known", "clientAuthenticatorType": "client-jwt", "attributes": attributes},
    )
    await api.create(
        "/master/clients",
        {"clientId": "unknown", "attributes": {**attributes, "jwks.url": "https://new.example/jwks"}},
    )
    record = KeySetRecord(
        url=url, keys=(key.public_jwk,), since=(1000.0,), fetched_at=2000.0, failures=3, failure="timeout"
    )
    await redis.set(KeySetLayout().record(KeySetAddress.of(url).id), fetchers_of(api).write(record))
    listed = (await api.call("GET", "/master/jwks-urls")).json()
    assert [(entry["client_id"], entry["url"]) for entry in listed] == [
        ("known", url),
        ("unknown", "https://new.example/jwks"),
    ]
    assert listed[0]["health"]["failures"] == 3
    assert listed[0]["health"]["failure"] == "timeout"
    assert listed[0]["health"]["keys"] == 1
    assert listed[1]["health"] is None
    rest = (await api.call("GET", "/master/jwks-urls?after=known")).json()
    assert [entry["client_id"] for entry in rest] == ["unknown"]
    [shown] = (await api.call("GET", f"/master/clients/{known}/keys")).json()
    assert (shown["since"], shown["crv"], shown["source"]) == (1000.0, "P-256", "jwks_url")


@pytest.mark.parametrize("form", ["unsigned", "signed by himself", "moved"])
async def test_keys_that_no_fetcher_has_signed_are_shown_to_nobody(
    api: AdminApi, redis: Redis, form: str
) -> None:
    """An administrator would take a foreign key among the client's keys for the client's own."""
    key = SigningKey.generate("ES256")
    url = "https://orders.example/jwks"
    attributes = {"use.jwks.url": "true", "jwks.url": url}
    uuid = await api.create(
        "/master/clients",
        {"clientId": "orders", "clientAuthenticatorType": "client-jwt", "attributes": attributes},
    )
    record = KeySetRecord(url=url, keys=(key.public_jwk,), since=(1000.0,), fetched_at=2000.0)
    if form == "unsigned":
        value = encode_record(record)
    elif form == "signed by himself":
        value = KeySetSeal(LogSigningKeys([b"h" * 32]), FetcherKeys()).write(record)
    else:
        value = fetchers_of(api).write(replace(record, url="https://his.example/jwks"))
    await redis.set(KeySetLayout().record(KeySetAddress.of(url).id), value)
    [entry] = (await api.call("GET", "/master/jwks-urls")).json()
    assert entry["health"] is None
    assert (await api.call("GET", f"/master/clients/{uuid}/keys")).json() == []


async def test_a_key_tells_since_when_the_client_has_it_and_until_when(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    before = time.time()
    made = await api.call(
        "POST", f"/master/clients/{uuid}/certificates/jwt.credential/generate?keyType=P-256"
    )
    assert made.status_code == 200, made.text
    await api.call("PUT", f"/master/clients/{uuid}", json={"name": "Orders"})
    [key] = (await api.call("GET", f"/master/clients/{uuid}/keys")).json()
    assert before - 1 < key["since"] < time.time() + 1
    assert key["not_after"] == pytest.approx(time.time() + 3 * 365.25 * DAY, abs=3 * DAY)
    assert (key["kty"], key["crv"], key["bits"]) == ("EC", "P-256", None)


async def test_usage_tells_when_each_credential_was_last_used(api: AdminApi, redis: Redis) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders", "attributes": POLICY})
    nothing: dict[str, object] = {"secret": None, "former_secret": None, "keys": {}}
    assert (await api.call("GET", f"/master/clients/{uuid}/usage")).json() == nothing
    digest = await digest_in_force(api, uuid)
    uses = {(uuid, name_of_secret(digest)): 1000.7, (uuid, name_of_key("thumb")): 2000.0}
    await LastUsedRegistry(redis).write(uses)
    await api.call("POST", f"/master/clients/{uuid}/client-secret")
    used = (await api.call("GET", f"/master/clients/{uuid}/usage")).json()
    assert used == {"secret": None, "former_secret": 1000, "keys": {"thumb": 2000}}


async def digest_in_force(api: AdminApi, uuid: str) -> str:
    database = Database(api.settings.database_url)
    try:
        async with database.reading() as connection:
            row = (await connection.execute(select(clients.c.secrets).where(clients.c.uuid == uuid))).one()
            return str(row.secrets["current"]["digest"])
    finally:
        await database.close()
