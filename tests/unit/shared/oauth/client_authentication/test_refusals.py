"""Refused authentications are recorded as a sample, and again if Redis did not accept them."""

from collections.abc import Iterable

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.refusals import Refusal
from keyturn_shared.oauth.client_authentication import refusals
from keyturn_shared.oauth.client_authentication.refusals import (
    MAX_OF_ADDRESS,
    MAX_OF_ALL,
    MAX_OF_CLIENT,
    RefusalRecorder,
)
from tests.testkit.clocks import SetClock


class Notebook:
    def __init__(self) -> None:
        self.written: list[Refusal] = []
        self.broken = False

    async def write(self, refusals: Iterable[Refusal]) -> None:
        if self.broken:
            raise RedisUnavailableError("away")
        self.written += refusals


@pytest.fixture
def clock() -> SetClock:
    return SetClock(6000.0)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def note(recorder: RefusalRecorder, client_id: str = "orders", address: str | None = "192.0.2.1") -> None:
    recorder.note("acme", client_id, code="wrong_secret", method="client_secret_basic", address=address)


async def test_a_refusal_is_recorded_with_its_reason_time_and_address(
    clock: SetClock, notebook: Notebook
) -> None:
    recorder = RefusalRecorder(notebook, clock)
    note(recorder)
    assert notebook.written == []
    await recorder.write()
    assert notebook.written == [
        Refusal("acme", "orders", "wrong_secret", "client_secret_basic", "192.0.2.1", 6000.0)
    ]
    await recorder.write()
    assert len(notebook.written) == 1


@pytest.mark.parametrize(
    ("client_of", "address_of", "most"),
    [
        (lambda number: "orders", lambda number: f"198.51.{number // 250}.{number % 250}", MAX_OF_CLIENT),
        (lambda number: f"client-{number}", lambda number: "192.0.2.1", MAX_OF_ADDRESS),
        (lambda number: f"client-{number}", lambda number: f"2001:db8::{number:x}", MAX_OF_ADDRESS),
        (
            lambda number: f"client-{number}",
            lambda number: f"10.0.{number // 250}.{number % 250}",
            MAX_OF_ALL,
        ),
    ],
    ids=["of one client", "from one address", "from one network", "of all"],
)
async def test_of_many_refusals_a_few_are_recorded(
    client_of: object, address_of: object, most: int, clock: SetClock, notebook: Notebook
) -> None:
    assert callable(client_of)
    assert callable(address_of)
    recorder = RefusalRecorder(notebook, clock)
    for number in range(3 * MAX_OF_ALL):
        note(recorder, client_of(number), address_of(number))
    await recorder.write()
    assert len(notebook.written) == most
    clock.time += 60
    note(recorder, client_of(0), address_of(0))
    await recorder.write()
    assert len(notebook.written) == most + 1


async def test_what_redis_did_not_take_is_written_later(clock: SetClock, notebook: Notebook) -> None:
    recorder = RefusalRecorder(notebook, clock)
    note(recorder)
    notebook.broken = True
    with pytest.raises(RedisUnavailableError):
        await recorder.write()
    notebook.broken = False
    await recorder.write()
    assert len(notebook.written) == 1


async def test_while_redis_is_away_a_bounded_number_waits(
    clock: SetClock, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MAX_UNWRITTEN", 2)
    recorder = RefusalRecorder(notebook, clock)
    for number in range(5):
        note(recorder, f"client-{number}")
    await recorder.write()
    assert len(notebook.written) == 2


async def test_a_name_that_a_caller_made_up_is_cut(clock: SetClock, notebook: Notebook) -> None:
    recorder = RefusalRecorder(notebook, clock)
    note(recorder, "x" * 10_000, address=None)
    await recorder.write()
    assert len(notebook.written[0].client_id) == 255
