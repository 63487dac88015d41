"""Somebody writes to the database, without the service's keys."""

import contextlib

import pytest

from keyturn_credentials.domain.audit_chain.errors import ChainBrokenError
from keyturn_credentials.domain.audit_chain.statements import Head
from keyturn_credentials.operations import audit_chain_loop
from tests.conformance.store.audit_chain.conftest import Service

INSERT = (
    "INSERT INTO audit (occurred_at, realm_id, action, actor_realm, actor_client_id, details, chain_number)"
    " VALUES (1, 'realm-1', 'planted', 'master', 'ops', '{}',"
)
MOVES = {
    "changes what happened": "UPDATE audit SET action = 'nothing' WHERE chain_number = 3",
    "changes who did it": "UPDATE audit SET actor_client_id = 'somebody' WHERE chain_number = 3",
    "changes when": "UPDATE audit SET occurred_at = occurred_at + 1 WHERE chain_number = 3",
    "changes a value": "UPDATE audit SET details = '{\"a\": 2}' WHERE chain_number = 3",
    "breaks a value": "UPDATE audit SET remote_address = NULL WHERE chain_number = 3",
    "renames an entry": "UPDATE audit SET id = 99 WHERE chain_number = 3",
    "moves it into another realm": "UPDATE audit SET realm_id = 'realm-2' WHERE chain_number = 3",
    "changes the newest": "UPDATE audit SET action = 'nothing' WHERE chain_number = 6",
    "changes the first": "UPDATE audit SET action = 'nothing' WHERE chain_number = 1",
    "removes the first": "DELETE FROM audit WHERE chain_number = 1",
    "removes one from the middle": "DELETE FROM audit WHERE chain_number = 3",
    "removes the newest": "DELETE FROM audit WHERE chain_number = 6",
    "removes all": "DELETE FROM audit",
    "takes one out of the chain": "UPDATE audit SET chain_number = NULL WHERE chain_number = 3",
    "takes the newest out of the chain": "UPDATE audit SET chain_number = NULL WHERE chain_number = 6",
    "gives one another place": "UPDATE audit SET chain_number = 7 WHERE chain_number = 3",
    "gives one a place before the first": "UPDATE audit SET chain_number = -1 WHERE chain_number = 1",
    "changes what was known": "UPDATE audit SET chain_standing = 2 WHERE chain_number = 3",
    "removes the code": "UPDATE audit SET mac = NULL WHERE chain_number = 3",
    "removes the record": "DELETE FROM audit_chain",
    "empties the record": "UPDATE audit_chain SET base = NULL, head = NULL",
    "removes the head": "UPDATE audit_chain SET head = NULL",
    "forges a head": "UPDATE audit_chain SET head = replace(head, ':6:', ':5:')",
    "forges a base": "UPDATE audit_chain SET base = replace(base, ':0:', ':3:')",
    "inserts one with a place": f"{INSERT} 7)",
    "inserts one before the chain": f"{INSERT} 0)",
    "inserts one": f"{INSERT} NULL)",
    "repeats one": (
        "INSERT INTO audit (occurred_at, realm_id, action, actor_realm, actor_client_id, details, mac,"
        " remote_address) SELECT occurred_at, realm_id, action, actor_realm, actor_client_id, details, mac,"
        " remote_address FROM audit WHERE chain_number = 3"
    ),
}


@pytest.fixture
async def filled(service: Service) -> Service:
    """A log of six entries, with which no earlier release can have to do any more."""
    await service.make("one", "two")
    await service.chained()
    await service.settle()
    for action in ("a", "b", "c", "d"):
        await service.note(action)
    await service.chained()
    assert await service.problems() == set()
    return service


@pytest.mark.parametrize("move", MOVES)
async def test_it_is_found_at_once_and_after_the_service_has_gone_on(filled: Service, move: str) -> None:
    """A process that starts anew does not know what there was."""
    await filled.write(MOVES[move])
    assert await filled.problems() != set()
    await filled.note("later")
    filled.clock.time += 60
    with contextlib.suppress(ChainBrokenError):
        await filled.restarted().chained()
    assert await filled.problems() != set()


async def test_two_that_change_places_are_found(filled: Service) -> None:
    await filled.write(
        "UPDATE audit SET chain_number = 99 WHERE chain_number = 3",
        "UPDATE audit SET chain_number = 3 WHERE chain_number = 4",
        "UPDATE audit SET chain_number = 4 WHERE chain_number = 99",
    )
    assert "changed" in await filled.problems()


async def cut_off(service: Service) -> Head:
    """Remove the newest two entries, and put the head back that was signed before them. Return the head that
    somebody has kept."""
    earlier = await service.head()
    await service.note("e")
    await service.note("f")
    await service.chained()
    kept = await service.head()
    await service.write(
        "DELETE FROM audit WHERE chain_number > :number",
        "UPDATE audit_chain SET head = :head",
        number=earlier.number,
        head=earlier.signed(service.settings.audit_keys()),
    )
    return kept


async def test_a_cut_off_end_is_found_by_an_instance_that_has_seen_it(filled: Service) -> None:
    await cut_off(filled)
    with pytest.raises(ChainBrokenError, match="ends at 6, and this process has seen 8"):
        await filled.loop.step()
    assert filled.sample("keyturn_audit_chain_broken") == 1
    assert "keyturn audit verify" in filled.loop.degraded()["audit"]
    await filled.note("later")
    with pytest.raises(ChainBrokenError):
        await filled.loop.step()
    assert (await filled.report()).unchained == 1


async def test_a_cut_off_end_is_found_against_a_kept_head_and_not_without(filled: Service) -> None:
    earlier = await filled.head()
    kept = await cut_off(filled)
    assert await filled.problems() == set()
    assert await filled.problems(kept=earlier) == set()
    assert await filled.problems(kept=kept) == {"cut_off"}


async def test_what_replaces_a_cut_off_end_is_found_against_a_kept_head(filled: Service) -> None:
    kept = await cut_off(filled)
    filled.clock.time += 60
    unknowing = filled.restarted()
    for action in ("x", "y", "z"):
        await unknowing.note(action)
    await unknowing.chained()
    assert await unknowing.problems() == set()
    assert await unknowing.problems(kept=kept) == {"rewritten"}


START_OVER = (
    "UPDATE audit SET action = 'nothing', mac = NULL WHERE chain_number = 3",
    "UPDATE audit SET mac = NULL, chain_number = NULL, chain_previous = NULL, chain_standing = NULL",
    "UPDATE audit_chain SET base = NULL, head = NULL",
    "DELETE FROM audit_checkpoints",
)


async def test_a_chain_that_was_made_to_begin_anew_is_found_by_who_has_seen_the_former_one(
    filled: Service,
) -> None:
    kept = await filled.head()
    await filled.write(*START_OVER)
    with pytest.raises(ChainBrokenError, match="ends at 0, and this process has seen 6"):
        await filled.loop.step()
    unknowing = filled.restarted()
    await unknowing.chained()
    report = await unknowing.report()
    assert report.is_good, "without a kept head, only the time when it began shows it"
    assert report.base is not None
    assert report.base.began_at == int(filled.clock.time)
    assert await unknowing.problems(kept=kept) == {"rewritten"}


async def test_an_instance_that_waits_for_its_turn_notices_it_too(filled: Service) -> None:
    waiting = filled.restarted()
    await waiting.loop.step()
    await filled.note("e")
    await filled.chained()
    await waiting.loop.step()
    await filled.write("DELETE FROM audit WHERE chain_number = 7", "UPDATE audit_chain SET head = NULL")
    with pytest.raises(ChainBrokenError):
        await waiting.loop.step()


async def test_nothing_is_added_after_what_was_changed_at_the_end(filled: Service) -> None:
    await filled.write("UPDATE audit SET action = 'nothing' WHERE chain_number = 6")
    await filled.note("later")
    with pytest.raises(ChainBrokenError, match="was changed after it was signed"):
        await filled.restarted().chained()
    assert (await filled.report()).unchained == 1


async def test_an_entry_that_is_not_added_yet_cannot_be_changed_either(filled: Service) -> None:
    await filled.note("written")
    await filled.write("UPDATE audit SET action = 'changed' WHERE action = 'written'")
    assert await filled.problems() == {"altered"}
    filled.clock.time += 60
    await filled.chained()
    assert await filled.problems() == {"altered"}
    assert filled.sample("keyturn_audit_entries_chained_total", standing="altered") == 1


async def test_a_change_whose_entry_was_removed_before_it_was_added_is_missed(filled: Service) -> None:
    """An entry that is about no change leaves no trace."""
    await filled.note("seen")
    await filled.make("three")
    await filled.write("DELETE FROM audit WHERE chain_number IS NULL")
    assert await filled.problems() == {"changes_missing"}
    await filled.make("four")
    await filled.chained()
    assert await filled.problems() == {"changes_missing"}


async def test_a_log_that_was_accepted_is_good_from_then_on(
    filled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_chain_loop, "BATCH", 4)
    before = await filled.head()
    await filled.write("UPDATE audit SET action = 'nothing' WHERE chain_number = 6")
    assert await filled.accept() == 7
    await filled.chained()
    report = await filled.report()
    assert report.is_good
    assert await filled.problems(kept=before) == {"kept_head_too_old"}
    assert await filled.problems(kept=await filled.head()) == set()
    await filled.settle()
    await filled.note("later")
    await filled.chained()
    await filled.write("UPDATE audit SET action = 'changed' WHERE action = 'later'")
    assert "rewritten" in await filled.problems()


@pytest.mark.parametrize("move", MOVES)
async def test_whatever_it_was_can_be_accepted(filled: Service, move: str) -> None:
    await filled.write(MOVES[move])
    await filled.accept()
    await filled.chained()
    assert await filled.problems() == set()
