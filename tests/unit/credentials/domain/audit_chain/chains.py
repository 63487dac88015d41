"""A chain of audit entries as the service makes it, for attackers to change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from keyturn_credentials.domain.audit_chain.checking import ChainCheck, Report, compare_kept
from keyturn_credentials.domain.audit_chain.entries import FIELDS, Entry, Standing, entry_of, judge, make_mac
from keyturn_credentials.domain.audit_chain.links import beginning, link
from keyturn_credentials.domain.audit_chain.statements import SETTLING_SECONDS, Base, Head, Reason
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys

LOG: Final = "11111111-2222-3333-4444-555555555555"
NOW: Final = 1_000_000
RING: Final = KeyRing([b"e" * 32], purpose="encryption")
KEYS: Final = LogSigningKeys([b"s" * 32])


def row_of(number: int, **members: Any) -> dict[str, Any]:
    """Return the columns of a new entry; each number has its own."""
    row = dict.fromkeys(FIELDS) | {
        "occurred_at": NOW + number / 3,
        "realm_id": "realm-1",
        "action": "client_updated",
        "client_uuid": f"uuid-{number}",
        "client_id": f"orders-{number}",
        "actor_realm": "master",
        "actor_client_id": "ops",
        "remote_address": "192.0.2.1",
        "sequence": number,
        "details": {"changed": ["enabled"], "changes": {"enabled": [True, False]}, "number": number},
    }
    return row | members


def written(number: int, *, ring: KeyRing | None = RING, id_: int | None = None, **members: Any) -> Entry:
    """Return an entry that an instance wrote; ``ring`` None: an instance of an earlier release."""
    row = row_of(number, **members)
    mac = None if ring is None else make_mac(ring, f"nonce-{number:010}", row)
    details = msgspec.json.encode(row["details"]).decode()
    chain = dict.fromkeys(("chain_number", "chain_previous", "chain_standing"))
    return entry_of({**row, "details": details, "mac": mac, **chain, "id": id_ or 2 * number})


@dataclass(frozen=True)
class Chained:
    """The audit log as the database has it."""

    entries: tuple[Entry, ...]
    base: Base
    head: Head
    points: tuple[tuple[str, Head], ...] = ()

    def extended(self, new: Iterable[Entry], *, at: int = NOW, ring: KeyRing = RING) -> "Chained":
        """Add entries as the service does."""
        added, number, hash_ = [], self.head.number, self.head.hash
        settling = at < self.base.settled_at
        for entry in new:
            number += 1
            standing = judge(
                ring, entry, settling=settling, accepting=False, complete_at=self.head.complete_at
            )
            added.append(replace(entry, number=number, previous=hash_, standing=int(standing)))
            hash_ = link(hash_, number, entry, standing)
        head = Head(LOG, number, hash_, at, at)
        return Chained((*self.entries, *added), self.base, head, self.points)

    def with_checkpoint(self) -> "Chained":
        return replace(self, points=(*self.points, (f"checkpoint {self.head.number}", self.head)))

    def relinked(self) -> "Chained":
        """Compute every hash again, as an attacker can: only statements have signatures."""
        hash_, entries = self.base.hash, []
        for entry in self.entries:
            entries.append(replace(entry, previous=hash_))
            hash_ = link(hash_, entry.number or 0, entry, entry.standing or 0)
        return replace(self, entries=tuple(entries))

    def check(
        self,
        *,
        kept: Head | None = None,
        unchained: Sequence[Entry] = (),
        settled: bool = True,
        newest_sequence: int | None = None,
    ) -> Report:
        report, points = Report(base=self.base, head=self.head), list(self.points)
        if kept is not None and compare_kept(report, kept):
            points.append(("the kept head", kept))
        check = ChainCheck(RING, report, self.base, self.head, points, settled=settled)
        for entry in self.entries:
            check.add(entry)
        for entry in unchained:
            check.add_unchained(entry)
        return check.finish(newest_sequence)


def begun(log: str = LOG, at: int = NOW) -> Chained:
    """Return a chain without entries."""
    base = Base(log, 0, beginning(log, 0, at), at, Reason.BEGUN, at + SETTLING_SECONDS, 0)
    return Chained((), base, Head(log, 0, base.hash, at, 0))


def chain_of(count: int) -> Chained:
    return begun().extended(written(number) for number in range(1, count + 1))


def problems(report: Report) -> set[str]:
    return {problem.value for problem in report.problems}


VOUCHED: Final = int(Standing.VOUCHED)
