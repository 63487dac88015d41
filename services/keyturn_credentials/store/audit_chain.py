"""The chain of the audit log in the database: extending it, and shortening it at its beginning.

Every transaction that changes the chain locks its row first, so that instances do it one after the other. An
entry is added after it was committed, whatever its id: ids have gaps, and are not in the order of commits.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Final

from sqlalchemy import delete, select, update

from keyturn_credentials.domain.audit_chain.entries import Entry, Standing, judge
from keyturn_credentials.domain.audit_chain.errors import ChainBrokenError, UnknownKeyError
from keyturn_credentials.domain.audit_chain.links import beginning, link
from keyturn_credentials.domain.audit_chain.statements import (
    SETTLING_SECONDS,
    Base,
    Head,
    Reason,
    key_of,
    read_base,
    read_head,
)
from keyturn_credentials.store import audit_entries as of_entries
from keyturn_credentials.store.audit_entries import entries
from keyturn_credentials.store.audit_tables import audit_chain, audit_checkpoints
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import event_counter, log_identity
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.errors import ForgedError, UntrustedKeyError
from keyturn_shared.signed_log.keys import LogSigningKeys

CHECKPOINT: Final = 1000
"""Entries after which a head is kept."""
RENEWAL_SECONDS: Final = 3600
"""A head that is older is signed again, so that a kept one is never much older than the entries before it."""

_statements: Final = select(audit_chain.c.base, audit_chain.c.head).where(audit_chain.c.id == 1)
_changes: Final = select(event_counter.c.value)
_identity: Final = select(log_identity.c.identity)


@dataclass(frozen=True, slots=True)
class Chain:
    """The statements about the chain, verified. ``stale``: one is not signed by the first key."""

    log: str
    base: Base | None
    head: Head | None
    stale: bool = False

    def is_due(self, now: float) -> bool:
        """Return whether a statement must be signed, even if there is nothing to add."""
        return self.head is None or self.stale or now - self.head.at >= RENEWAL_SECONDS


@dataclass(frozen=True, slots=True)
class Extended:
    """The chain after a round. ``added``: entries by their standing; ``suspects``: ids of those of a wrong
    one; ``is_complete``: no entry was left."""

    base: Base
    head: Head
    is_complete: bool
    added: Mapping[Standing, int] = field(default_factory=dict)
    suspects: Mapping[int, Standing] = field(default_factory=dict)


class AuditChain:
    """Extends and shortens the chain within a caller's transaction. ``ring``: makes the codes of entries."""

    def __init__(self, ring: KeyRing, keys: LogSigningKeys) -> None:
        self._ring = ring
        self._keys = keys
        self._trusted = keys.verification()

    async def read(self, connection: Connection, *, lock: bool = False) -> Chain:
        """Return the chain as it was signed. Raises ChainBrokenError, and UnknownKeyError of its kinds."""
        log = (await connection.execute(_identity)).scalar_one_or_none()
        found = (
            await connection.execute(_statements.with_for_update() if lock else _statements)
        ).one_or_none()
        if log is None or found is None or (found.base is None and found.head is not None):
            raise ChainBrokenError("the record of the audit log's chain is missing")
        try:
            base = None if found.base is None else read_base(found.base, self._trusted)
            head = None if found.head is None else read_head(found.head, self._trusted)
        except UntrustedKeyError as error:
            raise UnknownKeyError(f"a statement about the audit log's chain: {error.detail}") from error
        except ForgedError as error:
            raise ChainBrokenError(f"a statement about the audit log's chain: {error.detail}") from error
        if any(each is not None and each.log != log for each in (base, head)):
            raise ChainBrokenError("the audit log's chain is that of another database")
        written = [text for text in (found.base, found.head) if text is not None]
        return Chain(log, base, head, any(key_of(each) != self._keys.current_key_id for each in written))

    async def inspect(self, connection: Connection) -> Chain:
        """Return the chain as it was signed, if the newest entry is the one that was signed last. Raises
        ChainBrokenError. All queries of the connection must see one state."""
        chain = await self.read(connection)
        if chain.base is not None and chain.head is not None:
            await self._require_end(connection, chain.base, chain.head)
        elif await entries(connection, of_entries.newest):
            raise ChainBrokenError("the record of the audit log's chain is empty")
        return chain

    async def is_complete(self, connection: Connection) -> bool:
        """Return whether there is nothing to add."""
        return (await connection.execute(of_entries.any_unchained)).first() is None

    async def extend(self, connection: Connection, now: float, most: int, known: Head | None) -> Extended:
        """Add at most ``most`` entries, oldest first. ``known``: the newest head that this process has seen.
        Raises ChainBrokenError, having changed nothing."""
        chain = await self.read(connection, lock=True)
        base = chain.base or await self._begin(connection, chain.log, now)
        head = chain.head or Head(chain.log, base.number, base.hash, int(now), 0)
        settling = now < base.settled_at
        if settling:
            base = await self._follow_former(connection, base, head, now)
        await self._require_end(connection, base, head)
        await self.require_known(connection, base, head, known)
        found = await entries(connection, of_entries.unchained, most=most)
        rows, standings, suspects = [], Counter[Standing](), {}
        number, hash_ = head.number, head.hash
        for entry in found:
            number += 1
            standing = judge(
                self._ring,
                entry,
                settling=settling,
                accepting=settling and base.reason is Reason.ACCEPTED,
                complete_at=head.complete_at,
            )
            rows.append({"of": entry.id, "at": number, "before": hash_, "standing": int(standing)})
            hash_ = link(hash_, number, entry, standing)
            standings[standing] += 1
            if standing not in (Standing.VOUCHED, Standing.EARLIER):
                suspects[entry.id] = standing
        if rows:
            await connection.execute(of_entries.add, rows)
        is_complete = len(found) < most
        complete_at = int(now) if is_complete else head.complete_at
        new = Head(chain.log, number, hash_, int(now), complete_at)
        if chain.head is not None and head.number // CHECKPOINT != new.number // CHECKPOINT:
            await self._keep(connection, head)
        await self._write(connection, base, new)
        return Extended(base, new, is_complete, standings, suspects)

    async def forget(self, connection: Connection, now: float, before: float, most: int) -> int:
        """Delete at most ``most`` of the oldest entries of the chain before a time, and sign what stands for
        them. Return their number. Raises ChainBrokenError if they are not what was added."""
        chain = await self.read(connection, lock=True)
        base, head = chain.base, chain.head
        if base is None or head is None:
            return 0
        found = await entries(connection, of_entries.after, number=base.number, most=most + 1)
        old = list(takewhile(lambda entry: _is_before(entry, before), found[:most]))
        if not old:
            return 0
        number, hash_ = base.number, base.hash
        for entry in old:
            number += 1
            hash_ = _followed(hash_, number, entry)
        after = found[len(old)] if len(old) < len(found) else None
        if (head.hash if after is None else after.previous) != hash_:
            raise ChainBrokenError(f"the hash of entry {old[-1].id} of the audit log is not what follows it")
        await connection.execute(of_entries.forget, {"number": base.number, "last": number})
        await connection.execute(delete(audit_checkpoints).where(audit_checkpoints.c.number <= number))
        new = replace(base, number=number, hash=hash_, at=int(now), reason=_kept(base, now, Reason.EXPIRED))
        await self._write(connection, new, head)
        return len(old)

    async def restart(self, connection: Connection, now: float, number: int) -> Base:
        """Begin the chain anew after this number. No entry may be part of it."""
        log = (await connection.execute(_identity)).scalar_one()
        base = await self._beginning(connection, log, number, now, Reason.ACCEPTED)
        await connection.execute(delete(audit_checkpoints))
        values = {"base": base.signed(self._keys), "head": None}
        written = update(audit_chain).where(audit_chain.c.id == 1).values(values).returning(audit_chain.c.id)
        if (await connection.execute(written)).first() is None:
            await connection.execute(audit_chain.insert(), {"id": 1, **values})
        return base

    async def _begin(self, connection: Connection, log: str, now: float) -> Base:
        if await entries(connection, of_entries.newest):
            raise ChainBrokenError("the record of the audit log's chain is empty")
        return await self._beginning(connection, log, 0, now, Reason.BEGUN)

    async def _beginning(
        self, connection: Connection, log: str, number: int, now: float, reason: Reason
    ) -> Base:
        at, changes = int(now), (await connection.execute(_changes)).scalar_one()
        return Base(log, number, beginning(log, number, at), at, reason, at + SETTLING_SECONDS, changes)

    async def _follow_former(self, connection: Connection, base: Base, head: Head, now: float) -> Base:
        """Let the chain begin after what an earlier release has deleted, whose retention knows no chain."""
        if head.number == base.number:
            return base
        first = await entries(connection, of_entries.after, number=base.number, most=1)
        number, hash_ = head.number, head.hash
        if first:
            number, hash_ = (first[0].number or 0) - 1, first[0].previous or b""
        if number <= base.number or number > head.number:
            return base
        return replace(base, number=number, hash=hash_, at=int(now), reason=_kept(base, now, Reason.FORMER))

    async def require_known(
        self, connection: Connection, base: Base | None, head: Head | None, known: Head | None
    ) -> None:
        """Raise ChainBrokenError unless a head that this process has seen is part of the chain."""
        if known is None or (base is not None and known.number <= base.number):
            return
        if head is None or head.number < known.number:
            ends = 0 if head is None else head.number
            raise ChainBrokenError(
                f"the audit log's chain ends at {ends}, and this process has seen {known.number}"
            )
        hash_: bytes | None = head.hash
        if head.number > known.number:
            following = await entries(connection, of_entries.after, number=known.number, most=1)
            hash_ = following[0].previous if following else None
        if hash_ != known.hash:
            raise ChainBrokenError(f"the audit log's chain is another one since entry {known.number}")

    async def _require_end(self, connection: Connection, base: Base, head: Head) -> None:
        """Raise ChainBrokenError unless the newest entry is the one that was signed."""
        last = await entries(connection, of_entries.newest)
        if head.number < base.number or (last and (last[0].number or 0) > head.number):
            raise ChainBrokenError("the audit log has entries after its signed head")
        if head.number == base.number:
            return
        if not last or last[0].number != head.number:
            raise ChainBrokenError("the newest entry of the audit log's chain is not the one that was signed")
        if _followed(last[0].previous or b"", head.number, last[0]) != head.hash:
            raise ChainBrokenError(f"entry {last[0].id} of the audit log was changed after it was signed")

    def line(self, head: Head) -> str:
        """Return a head as one line, signed."""
        return head.signed(self._keys)

    async def _keep(self, connection: Connection, head: Head) -> None:
        """Keep a head as a checkpoint, in place of what somebody else may have written there."""
        await connection.execute(delete(audit_checkpoints).where(audit_checkpoints.c.number == head.number))
        kept = {"number": head.number, "head": head.signed(self._keys)}
        await connection.execute(audit_checkpoints.insert(), kept)

    async def _write(self, connection: Connection, base: Base, head: Head) -> None:
        values = {"base": base.signed(self._keys), "head": head.signed(self._keys)}
        await connection.execute(update(audit_chain).where(audit_chain.c.id == 1).values(values))


def _followed(previous: bytes, number: int, entry: Entry) -> bytes:
    if entry.number != number or entry.standing is None:
        raise ChainBrokenError(f"entry {entry.id} of the audit log is not at place {number} of the chain")
    return link(previous, number, entry, entry.standing)


def _kept(base: Base, now: float, reason: Reason) -> Reason:
    """Return the reason of a base that replaces this one: an acceptance is remembered while it settles."""
    return base.reason if base.reason is Reason.ACCEPTED and now < base.settled_at else reason


def _is_before(entry: Entry, time: float) -> bool:
    return isinstance(entry.occurred_at, float | int) and entry.occurred_at < time
