"""Webhooks about notices, as a receiver gets them from the running service."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from keyturn_credentials.operations import notice_sender
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.http_receiver import Answer, Receiver
from tests.testkit.waiting import wait_until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENDING = {"keyturn.secret.expiration-period": "864000", "keyturn.rotation.automatic": "false"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(lambda request: Answer(204)) as started:
        yield started


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice_sender, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(notice_sender, "next_attempt", lambda attempts, now, jitter: now + 0.2)


@asynccontextmanager
async def services(
    directory: Path, redis_url: str, url: str, *, count: int = 1, **more: Any
) -> AsyncIterator[list[AdminApi]]:
    values = {"notices_allowed_networks": "127.0.0.0/8", "notices_check_seconds": 0.1} | more
    settings = settings_for(
        f"sqlite+aiosqlite:///{directory}/keyturn.db",
        redis_url,
        notices_webhook_url=url,
        notices_webhook_secret=SECRET,
        **values,
    )
    async with AsyncExitStack() as stack:
        started = [await stack.enter_async_context(running(settings)) for _ in range(count)]
        await started[0].call("POST", "", json={"realm": "acme"})
        yield started


async def counted(api: AdminApi, series: str) -> float:
    text = (await api.http.get("/metrics")).text
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found is not None, series
    return float(found[1])


async def notices(api: AdminApi) -> list[dict[str, Any]]:
    answer = await api.call("GET", "/acme/notices")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def delivered(api: AdminApi, state: str) -> bool:
    return [each["delivery"] for each in await notices(api)] == [state]


async def test_an_opening_and_a_closing_are_signed_as_the_standard_says(
    tmp_path: Path, redis_url: str, receiver: Receiver
) -> None:
    async with services(tmp_path, redis_url, f"{receiver.url}/hooks?token=abc") as (api,):
        uuid = await api.create("/acme/clients", {"clientId": "orders", "attributes": ENDING})
        secret = (await api.call("GET", f"/acme/clients/{uuid}/client-secret")).json()["value"]
        await wait_until(lambda: len(receiver.requests) == 1)
        await wait_until(lambda: delivered(api, "delivered"))
        (shown,) = await notices(api)
        await api.call("DELETE", f"/acme/clients/{uuid}")
        await wait_until(lambda: len(receiver.requests) == 2)
        await wait_until(lambda: counted_is(api, "delivered", 2))
    assert [each.target for each in receiver.requests] == ["/hooks?token=abc"] * 2
    events = []
    for request in receiver.requests:
        events.append(Webhook(SECRET).verify(request.body, request.headers))
        assert request.headers["content-type"] == "application/json"
        assert secret.encode() not in request.body
    assert [event["type"] for event in events] == ["notice.opened", "notice.closed"]
    told = events[0]["data"]
    assert told["issuer"].endswith("/realms/acme")
    for name in ("id", "code", "severity", "client_uuid", "client_id", "since", "ends_at", "text", "advice"):
        assert told[name] == shown[name] == events[1]["data"][name]


async def counted_is(api: AdminApi, result: str, count: int) -> bool:
    return await counted(api, f'keyturn_notice_deliveries_total{{result="{result}"}}') == count


@pytest.mark.parametrize(
    "first", [Answer(500), Answer(301, headers={"Location": "/elsewhere"}), Answer(404), Answer(429)]
)
async def test_a_receiver_that_fails_gets_it_again_with_the_same_id(
    tmp_path: Path, redis_url: str, receiver: Receiver, first: Answer
) -> None:
    receiver.first = [first, first]
    async with services(tmp_path, redis_url, receiver.url) as (api,):
        await api.create("/acme/clients", {"clientId": "orders", "attributes": ENDING})
        await wait_until(lambda: delivered(api, "delivered"))
        assert await counted_is(api, "failed", 2)
    assert len(receiver.requests) == 3
    assert {request.target for request in receiver.requests} == {"/"}
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    for request in receiver.requests:
        Webhook(SECRET).verify(request.body, request.headers)


async def test_a_receiver_that_is_slow_is_not_waited_for(
    tmp_path: Path, redis_url: str, receiver: Receiver
) -> None:
    receiver.stalled = True
    async with services(tmp_path, redis_url, receiver.url) as (api,):
        await api.create("/acme/clients", {"clientId": "orders", "attributes": ENDING})
        await wait_until(lambda: len(receiver.requests) >= 2)
        receiver.stalled = False
        await wait_until(lambda: delivered(api, "delivered"))
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


async def test_a_receiver_that_answers_410_gets_it_no_more(
    tmp_path: Path, redis_url: str, receiver: Receiver
) -> None:
    receiver.first = [Answer(410)]
    async with services(tmp_path, redis_url, receiver.url) as (api,):
        await api.create("/acme/clients", {"clientId": "orders", "attributes": ENDING})
        await wait_until(lambda: delivered(api, "given_up"))
        assert await counted_is(api, "given_up", 1)
        assert await counted(api, "keyturn_notice_delivery_age_seconds") >= 0
    assert len(receiver.requests) == 1


async def test_an_answer_without_end_is_not_read(tmp_path: Path, redis_url: str, receiver: Receiver) -> None:
    receiver.first = [Answer(200, body=b"x" * 50_000_000)]
    async with services(tmp_path, redis_url, receiver.url) as (api,):
        await api.create("/acme/clients", {"clientId": "orders", "attributes": ENDING})
        await wait_until(lambda: delivered(api, "delivered"))
    assert len(receiver.requests) == 1


async def test_a_name_that_leads_to_a_private_address_gets_nothing(
    tmp_path: Path, redis_url: str, receiver: Receiver
) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost")
    async with services(tmp_path, redis_url, url, notices_allowed_networks="10.0.0.0/8") as (api,):
        await api.create("/acme/clients", {"clientId": "orders", "attributes": ENDING})
        await wait_until(lambda: failed_at_least(api, 2))
        assert await delivered(api, "pending")
    assert receiver.requests == []


async def failed_at_least(api: AdminApi, count: int) -> bool:
    return await counted(api, 'keyturn_notice_deliveries_total{result="failed"}') >= count


async def test_of_two_instances_one_sends_and_both_show_it(
    tmp_path: Path, redis_url: str, receiver: Receiver
) -> None:
    async with services(tmp_path, redis_url, receiver.url, count=2) as both:
        for number in range(5):
            client = {"clientId": f"orders-{number}", "attributes": ENDING}
            await both[number % 2].create("/acme/clients", client)
        await wait_until(lambda: len(receiver.requests) == 5)
        await wait_until(lambda: all_delivered(both))
        await wait_until(lambda: one_has_counted(both, 5))  # which it does after it has noted them
        assert await notices(both[0]) == await notices(both[1])
        await wait_until(lambda: open_everywhere(both, 5))
        assert (await both[0].http.get("/health/ready")).status_code == 200
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 5


async def all_delivered(both: list[AdminApi]) -> bool:
    states = [each["delivery"] for api in both for each in await notices(api)]
    return states == ["delivered"] * 10


async def one_has_counted(both: list[AdminApi], count: int) -> bool:
    series = 'keyturn_notice_deliveries_total{result="delivered"}'
    return sorted([await counted(api, series) for api in both]) == [0, count]


async def open_everywhere(both: list[AdminApi], count: int) -> bool:
    return all([await counted(api, 'keyturn_notices{code="secret_ending"}') == count for api in both])


async def test_the_list_is_paged_newest_first_and_for_those_who_view_clients(
    tmp_path: Path, redis_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with services(tmp_path, redis_url, receiver.url) as (api,):
        for number in range(3):
            await api.create("/acme/clients", {"clientId": f"orders-{number}", "attributes": ENDING})
        await wait_until(lambda: has_open(api, 3))
        numbers = [each["number"] for each in await notices(api)]
        assert numbers == sorted(numbers, reverse=True)
        page = (await api.call("GET", "/acme/notices?max=2")).json()
        rest = (await api.call("GET", f"/acme/notices?max=2&before={page[-1]['number']}")).json()
        assert [each["number"] for each in (*page, *rest)] == numbers
        monkeypatch.setattr("keyturn_credentials.web.realm_notices.MAX_PAGE", 1)
        assert len(await notices(api)) == 1
        assert (await api.call("GET", "/acme/notices?before=x")).status_code == 400
        assert (await api.call("GET", "/nowhere/notices")).status_code == 404
        await api.create("/acme/clients", {"clientId": "nobody"})
        refused = await api.call("GET", "/acme/notices", realm="acme", client_id="nobody")
        assert refused.status_code in (401, 403)


async def has_open(api: AdminApi, count: int) -> bool:
    return len(await notices(api)) == count
