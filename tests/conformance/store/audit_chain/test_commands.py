"""``keyturn audit verify`` and ``keyturn audit accept``, beside a service."""

import asyncio
import json

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from keyturn.cli import app
from keyturn_credentials.store.audit_tables import audit
from tests.conformance.store.audit_chain.conftest import Service
from tests.testkit.credentials_process import environment

_ACCEPTED = select(audit.c.realm_id, audit.c.details).where(audit.c.action == "audit_log_accepted")


@pytest.fixture
async def filled(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    for name, value in environment(service.settings, 0).items():
        monkeypatch.setenv(name, value)
    await service.make("master", "acme")
    await service.note("secret_shown")
    await service.chained()
    return service


async def run(*words: str) -> Result:
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["audit", *words]))


async def test_a_good_log_prints_its_head_which_later_logs_continue(filled: Service) -> None:
    done = await run("verify")
    assert done.exit_code == 0, done.output
    first, *_, line = done.stdout.splitlines()
    assert first.startswith("Checked 3 entries of the chain, from the first one on, numbers 1 to 3, signed ")
    await filled.note("later")
    await filled.chained()
    again = await run("verify", "--head", line)
    assert again.exit_code == 0, again.output
    assert "Compared with the kept head 3" in again.stdout
    assert again.stdout.splitlines()[-1] != line


async def test_the_result_can_be_json(filled: Service) -> None:
    await filled.note("waits")
    done = await run("verify", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["good"]
    assert (found["entries"], found["unchained"], found["last_number"]) == (3, 1, 3)
    assert found["standings"] == {"vouched": 3}
    assert found["head"].startswith("keyturn-audit-head:1:")
    await filled.write("UPDATE audit SET action = 'nothing' WHERE chain_number = 2")
    bad = await run("verify", "--json")
    assert bad.exit_code == 1
    told = json.loads(bad.stdout)
    assert (told["good"], told["head"], told["problems"]) == (False, None, {"changed": 1})
    assert told["findings"][0]["entry"] == 2


async def test_what_was_changed_is_named_and_no_head_is_given(filled: Service) -> None:
    await filled.write("UPDATE audit SET action = 'nothing' WHERE chain_number = 2")
    done = await run("verify")
    assert done.exit_code == 1
    assert "CHANGED: entry 2: it, or its place, was changed: entry 3 follows another one\n" in done.stdout
    assert "keyturn-audit-head" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("THE AUDIT LOG IS NOT WHAT WAS SIGNED")


async def test_a_log_that_was_cut_off_is_found_against_the_kept_head(filled: Service) -> None:
    earlier = await filled.head()
    await filled.note("later")
    await filled.chained()
    kept = (await run("verify")).stdout.splitlines()[-1]
    await filled.write(
        "DELETE FROM audit WHERE chain_number = 4",
        "UPDATE audit_chain SET head = :head",
        head=earlier.signed(filled.settings.audit_keys()),
    )
    done = await run("verify", "--head", kept)
    assert done.exit_code == 1
    assert "CUT_OFF: the chain ends at number 3, and the kept head is 4" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("verify", "--head", "nonsense"), "--head: it is not a head of the audit log; copy the whole line"),
        (("accept", "--reason", " "), "--reason: give one"),
        (("accept",), "--reason"),
    ],
)
async def test_wrong_use_is_refused_and_changes_nothing(
    filled: Service, words: tuple[str, ...], told: str
) -> None:
    before = await filled.head()
    done = await run(*words)
    assert done.exit_code == 2
    assert told in done.output
    assert await filled.head() == before


async def test_a_kept_head_that_was_changed_is_refused(filled: Service) -> None:
    line = (await run("verify")).stdout.splitlines()[-1]
    done = await run("verify", "--head", line.replace(":3:", ":2:"))
    assert done.exit_code == 2
    assert "its signature is wrong" in done.output


async def test_a_kept_head_of_a_former_key_is_compared_by_its_hash(
    filled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = (await run("verify")).stdout.splitlines()[-1]
    former, new = filled.settings.encryption_keys, filled.settings.audit_keys().generate_key()
    both = filled.restarted(encryption_keys=type(former)(f"{new},{former.get_secret_value()}"))
    filled.clock.time += 60
    await both.chained()
    await both.operations.maintenance.renew_seals()
    monkeypatch.setenv("KEYTURN_ENCRYPTION_KEYS", new)
    done = await run("verify", "--head", line)
    assert done.exit_code == 0, done.output
    assert (
        "The kept head is signed by a key that is not configured: only its hash was compared" in done.stdout
    )


async def test_without_a_database_it_says_so(filled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYTURN_DATABASE_URL")
    done = await run("verify")
    assert done.exit_code == 2
    assert "no database given" in done.output


async def test_a_log_is_accepted_with_a_reason_that_it_shows(filled: Service) -> None:
    await filled.write("DELETE FROM audit WHERE chain_number = 2")
    assert (await run("verify")).exit_code == 1
    done = await run("accept", "--reason", "the disk failed")
    assert done.exit_code == 0, done.output
    assert "begins anew after number 4" in done.stdout
    await filled.chained()
    again = await run("verify")
    assert again.exit_code == 0, again.output
    assert "as they were accepted" in again.stdout
    async with filled.store.find() as reading:
        realm = await reading.realms.get("master")
    assert realm is not None
    rows = await filled.database.find(_ACCEPTED)
    assert [(row.realm_id, row.details) for row in rows] == [
        (realm.id, {"reason": "the disk failed", "number": 4})
    ]
