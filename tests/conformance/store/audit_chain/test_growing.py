"""Every entry is added to the chain once, whoever wrote it and whoever adds it."""

import asyncio

import pytest
from sqlalchemy import text

from keyturn_credentials.domain.audit_chain.entries import Standing
from keyturn_credentials.domain.audit_chain.statements import read_head
from keyturn_credentials.operations import audit_chain_loop
from keyturn_credentials.store import audit_chain as chain_module
from keyturn_credentials.store.audit_chain import RENEWAL_SECONDS
from tests.conformance.store.audit_chain.conftest import Service
from tests.conformance.store.conftest import ACTOR


async def test_entries_are_added_in_their_order_and_the_head_is_signed(service: Service) -> None:
    await service.make("one", "two")
    await service.note("secret_shown")
    assert await service.problems() == {"not_begun"}
    await service.chained()
    assert [number for _, number in await service.numbers()] == [1, 2, 3]
    report = await service.report()
    assert report.is_good
    assert report.standings == {Standing.VOUCHED: 3}
    assert service.sample("keyturn_audit_chain_number") == 3
    assert service.sample("keyturn_audit_chain_broken") == 0
    assert service.sample("keyturn_audit_entries_chained_total", standing="vouched") == 3


async def test_a_quiet_log_is_signed_again_now_and_then(service: Service) -> None:
    await service.make("one")
    await service.chained()
    before = await service.head()
    service.clock.time += 60
    await service.chained()
    assert await service.head() == before
    service.clock.time += RENEWAL_SECONDS
    await service.chained()
    assert (await service.head()).at == int(service.clock.time)
    assert await service.problems(kept=before) == set()


async def test_many_are_added_batch_by_batch_with_a_checkpoint_for_so_many(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_chain_loop, "BATCH", 3)
    monkeypatch.setattr(chain_module, "CHECKPOINT", 6)
    for number in range(20):
        await service.note(f"action-{number}")
        planted = "INSERT INTO audit_checkpoints (number, head) VALUES (:number, 'somebody')"
        await service.write(planted, number=number)
    await service.chained()
    await service.write("DELETE FROM audit_checkpoints WHERE head = 'somebody'")
    report = await service.report()
    assert report.is_good
    assert (report.chained, report.checkpoints) == (20, 3)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_is_committed_late_is_added_though_its_id_is_smaller(service: Service) -> None:
    async with service.store.change(ACTOR) as slow:
        await slow.audit("slow", realm_id="realm-1")
        await service.note("quick")
        await service.chained()
    await service.chained()
    assert await service.numbers() == [(1, 2), (2, 1)]
    assert await service.problems() == set()


async def test_ids_that_were_never_committed_leave_no_gap(service: Service) -> None:
    await service.note("first")
    with pytest.raises(RuntimeError):
        async with service.store.change(ACTOR) as transaction:
            await transaction.audit("undone", realm_id="realm-1")
            raise RuntimeError
    await service.note("second")
    await service.chained()
    assert [number for _, number in await service.numbers()] == [1, 2]
    assert await service.problems() == set()


async def test_instances_that_add_at_once_add_each_entry_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease keeps them apart only most of the time."""
    monkeypatch.setattr(audit_chain_loop, "BATCH", 2)
    others = [service, service.restarted(), service.restarted()]

    async def granted() -> bool:
        return True

    for each in others:
        monkeypatch.setattr(each.loop._lease, "acquire", granted)

    async def writing() -> None:
        for number in range(12):
            await service.note(f"action-{number}")

    async def adding(each: Service) -> None:
        for _ in range(12):
            await each.loop.step()

    await asyncio.gather(writing(), *(adding(each) for each in others))
    await service.chained()
    assert sorted(number or 0 for _, number in await service.numbers()) == list(range(1, 13))
    assert await service.problems() == set()


async def test_only_one_instance_has_its_turn(service: Service) -> None:
    await service.note("first")
    await service.chained()
    other = service.restarted()
    await service.note("second")
    assert await other.loop.step() == 5.0
    assert other.sample("keyturn_audit_chain_number") == 1
    await service.chained()
    await other.loop.step()
    assert other.sample("keyturn_audit_chain_number") == 2


async def test_an_instance_is_degraded_when_entries_have_waited_for_long(service: Service) -> None:
    await service.chained()
    assert service.loop.degraded() == {}
    service.clock.time += 301
    assert "have waited for 301 s" in service.loop.degraded()["audit"]
    assert service.sample("keyturn_audit_unchained_seconds") == 301
    await service.chained()
    assert service.loop.degraded() == {}


async def test_an_instance_that_waits_for_its_turn_is_not_degraded_while_another_keeps_up(
    service: Service,
) -> None:
    waiting = service.restarted()
    await service.note("first")
    await service.chained()
    for number in range(35):
        service.clock.time += 10
        await service.note(f"action-{number}")
        assert await waiting.loop.step() == 5.0
        assert waiting.loop.degraded() == {}
        assert await service.loop.step() == 1.0


async def test_a_new_first_key_signs_and_the_former_one_can_be_removed(service: Service) -> None:
    await service.make("one")
    await service.chained()
    former = service.settings.encryption_keys.get_secret_value()
    kept = await service.head()
    kept_line = kept.signed(service.settings.audit_keys())
    new = service.settings.audit_keys().generate_key()
    secret = type(service.settings.encryption_keys)
    both = service.restarted(encryption_keys=secret(f"{new},{former}"))
    await service.note("with the former key")
    service.clock.time += 60
    await both.chained()
    alone = both.restarted(encryption_keys=secret(new))
    assert await alone.problems(kept=kept) == set()
    await alone.note("with the new key")
    service.clock.time += 60
    await alone.chained()
    report = await alone.report(kept=read_head(kept_line, None))
    assert report.is_good
    assert report.standings == {Standing.VOUCHED: 3}


async def test_a_key_that_was_replaced_at_once_breaks_the_chain(service: Service) -> None:
    await service.make("one")
    await service.chained()
    secret = type(service.settings.encryption_keys)
    new = service.restarted(encryption_keys=secret(service.settings.audit_keys().generate_key()))
    with pytest.raises(Exception, match="signed by a key that is not trusted"):
        await new.chained()
    assert "statement" in await new.problems()


async def test_a_change_makes_no_further_round_trip(service: Service) -> None:
    """Adding to the chain is not the change's business: its transaction leaves the entry out of it."""
    async with service.store.change(ACTOR) as transaction:
        await transaction.audit("noted", realm_id="realm-1")
        wanted = text("SELECT mac, chain_number FROM audit")
        ((mac, number),) = map(tuple, await transaction.connection.execute(wanted))
    assert mac
    assert number is None
