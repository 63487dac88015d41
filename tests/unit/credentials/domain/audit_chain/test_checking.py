"""Findings say what happened and where, and what is allowed is no finding."""

from dataclasses import replace

import pytest

from keyturn_credentials.domain.audit_chain.checking import Problem
from keyturn_credentials.domain.audit_chain.entries import Standing
from keyturn_credentials.domain.audit_chain.statements import SETTLING_SECONDS, Reason
from keyturn_shared.sealing import KeyRing
from tests.unit.credentials.domain.audit_chain.chains import (
    NOW,
    begun,
    chain_of,
    problems,
    written,
)

SETTLED = NOW + SETTLING_SECONDS


def test_an_entry_that_was_changed_is_named() -> None:
    chain = chain_of(5)
    entries = list(chain.entries)
    entries[2] = replace(entries[2], mac="other")
    (finding,) = replace(chain, entries=tuple(entries)).check().findings
    assert (finding.problem, finding.entry) == ("changed", entries[2].id)


def test_who_computes_all_hashes_again_is_found_at_the_next_checkpoint() -> None:
    chain = chain_of(3).with_checkpoint().extended(written(number) for number in (4, 5))
    entries = list(chain.entries)
    entries[0] = replace(entries[0], mac="other")
    report = replace(chain, entries=tuple(entries)).relinked().check()
    assert [finding.text.split(" the chain")[0] for finding in report.findings] == [
        "up to number 3",
        "up to number 5",
    ]


def test_missing_numbers_are_named() -> None:
    chain = chain_of(6)
    gap = replace(chain, entries=(*chain.entries[:2], *chain.entries[4:]))
    assert [finding.text for finding in gap.check().findings if finding.problem == "missing"] == [
        "entries 3 to 4 of the chain, by number: missing"
    ]


def test_what_retention_deleted_is_no_finding_if_the_base_stands_for_it() -> None:
    chain = chain_of(5)
    base = replace(chain.base, number=2, hash=chain_of(2).head.hash, reason=Reason.EXPIRED)
    assert replace(chain, entries=chain.entries[2:], base=base).check().is_good
    assert problems(replace(chain, entries=chain.entries[2:]).check()) == {"missing"}
    empty = replace(chain.base, number=5, hash=chain.head.hash)
    assert replace(chain, entries=(), base=empty).check().is_good


def test_a_kept_head_before_the_base_cannot_be_compared() -> None:
    chain = chain_of(5)
    base = replace(chain.base, number=3, hash=chain_of(3).head.hash)
    shortened = replace(chain, entries=chain.entries[3:], base=base)
    assert problems(shortened.check(kept=chain_of(2).head)) == {"kept_head_too_old"}
    assert shortened.check(kept=chain_of(3).head).is_good
    assert shortened.check(kept=chain_of(4).head).is_good


def test_a_kept_head_of_another_database_is_refused() -> None:
    assert problems(chain_of(2).check(kept=replace(chain_of(1).head, log="0" * 36))) == {"kept_head"}


def test_entries_of_an_earlier_release_are_allowed_until_it_has_settled() -> None:
    old = begun().extended([written(1, ring=None)])
    assert old.check().is_good
    assert old.check().standings == {Standing.EARLIER: 1}
    later = chain_of(1).extended([written(2, ring=None)], at=SETTLED)
    assert problems(later.check()) == {"unvouched"}


@pytest.mark.parametrize("ring", [None, KeyRing([b"x" * 32], purpose="encryption")])
def test_nobody_else_can_vouch_for_an_entry(ring: KeyRing | None) -> None:
    planted = written(2, ring=ring)
    assert problems(chain_of(1).extended([planted], at=SETTLED).check()) == {"unvouched"}
    assert problems(chain_of(1).check(unchained=[planted])) == {"unvouched"}
    assert chain_of(1).check(unchained=[planted], settled=False).is_good


def test_a_change_before_it_was_added_is_found_at_any_time() -> None:
    entry = written(2)
    changed = replace(entry, values=(entry.values[0], "realm-2", *entry.values[2:]))
    assert problems(chain_of(1).extended([changed]).check()) == {"altered"}
    assert problems(chain_of(1).check(unchained=[changed], settled=False)) == {"altered"}


def test_an_old_entry_that_somebody_puts_back_is_found() -> None:
    chain = chain_of(3)
    put_back = replace(written(1), id=99)
    assert problems(chain.extended([put_back], at=NOW + 7200).extended([], at=NOW + 7200).check()) == set()
    late = chain.extended([], at=NOW + 7200).extended([put_back], at=NOW + 7300)
    assert problems(late.check()) == {"late"}


def test_an_entry_of_a_change_that_was_removed_before_it_was_added_is_found() -> None:
    assert problems(chain_of(2).extended([written(4)]).check()) == {"changes_missing"}
    assert problems(chain_of(2).check(unchained=[written(4)])) == {"changes_missing"}
    assert problems(chain_of(2).check(newest_sequence=3)) == {"changes_missing"}
    known = replace(chain_of(2), base=replace(chain_of(2).base, changes=3))
    assert known.extended([written(4)]).check().is_good, "it was removed before the chain began"
    assert problems(known.extended([written(5)]).check()) == {"changes_missing"}
    no_change = written(4, sequence=None, action="secret_shown")
    assert chain_of(2).extended([no_change, written(3)]).check(newest_sequence=3).is_good


def test_entries_after_the_signed_head_are_found() -> None:
    chain = chain_of(4)
    assert "unsigned" in problems(replace(chain, head=chain_of(3).head).check())


def test_a_restored_backup_is_noted() -> None:
    chain = chain_of(1).extended([written(2, sequence=None, action="database_restored", id_=7)])
    report = chain.check()
    assert report.is_good
    assert report.restored == [7]


def test_findings_are_bounded_and_counted() -> None:
    report = begun().check(unchained=[written(1, ring=None, id_=number + 1) for number in range(150)])
    assert len(report.findings) == 100
    assert report.problems[Problem.UNVOUCHED] == 150
