"""Where among a realm's clients their ids are: in blocks of neighbours, each with how many there are in it
and all pieces of two characters they consist of.

A page that begins far from the beginning is found by adding up the blocks before it; what has a part in its
id is looked for only in blocks that have the part's pieces. A block may have pieces that its clients had
before, never too few.

Blocks are written after the transaction's stamp was taken: so by one transaction after the other, each of
which sees the ids of those before it, and with no lock that another transaction could wait for.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from keyturn_credentials.store.direct import binds_of, run, run_one
from keyturn_credentials.store.tables import client_name_blocks, client_names

BLOCK: Final = 1024
"""Clients of a block that was made just now; it is cut when there are more than twice as many."""

BEYOND: Final = "\U0010ffff" * 256
"""Comes after every id: these have at most 255 characters."""

_blocks = client_name_blocks.c
_following = client_name_blocks.alias()
_own: Final = (_blocks.realm_id == bindparam("of_realm_id")) & (
    _blocks.first_client_id == bindparam("of_first_client_id")
)
_last_until: Final = (
    select(func.max(_following.c.first_client_id))
    .where(_following.c.realm_id == bindparam("of_realm_id"), _following.c.first_client_id <= bindparam("id"))
    .scalar_subquery()
)
_count: Final = (
    update(client_name_blocks)
    .where(_blocks.realm_id == bindparam("of_realm_id"), _blocks.first_client_id == _last_until)
    .values(clients=_blocks.clients + bindparam("change"))
    .returning(_blocks.first_client_id, _blocks.clients, _blocks.parts)
)
_insert: Final = insert(client_name_blocks).values(binds_of(client_name_blocks)).inline()
_add_parts: Final = update(client_name_blocks).where(_own).values(binds_of(client_name_blocks, "parts"))
_delete: Final = delete(client_name_blocks).where(_own).returning(_blocks.clients)
_block: Final = select(_blocks.clients, _blocks.parts).where(_own)
_next: Final = (
    select(func.min(_following.c.first_client_id))
    .where(
        _following.c.realm_id == bindparam("of_realm_id"),
        _following.c.first_client_id > bindparam("of_first_client_id"),
    )
    .scalar_subquery()
)
_next_alone: Final = select(_next.label("first_client_id"))
_names_within: Final = (
    select(client_names.c.client_id)
    .where(
        client_names.c.realm_id == bindparam("of_realm_id"),
        client_names.c.client_id >= bindparam("of_first_client_id"),
        client_names.c.client_id < func.coalesce(_next, BEYOND),
    )
    .order_by(client_names.c.client_id)
)


def lowered(text: str) -> str:
    """As the databases do it in searches: letters other than ASCII stay as they are."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def pieces(*texts: str) -> set[str]:
    """All that is two characters long in any of them, in lower case; of one character that alone. None has a
    control character, so a line's end keeps them apart."""
    folded = lowered("\n".join(texts))
    pairs = {first + second for first, second in set(pairwise(folded)) if "\n" not in (first, second)}
    return pairs | {each for each in folded.split("\n") if len(each) == 1}


def cut(realm_id: str, first_client_id: str, client_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of blocks for ids that follow one another; the first of them begins with ``first_client_id``."""
    count = max(1, len(client_ids) // BLOCK)
    bounds = [len(client_ids) * place // count for place in range(count + 1)]
    return [
        {
            "realm_id": realm_id,
            "first_client_id": client_ids[start] if start else first_client_id,
            "clients": end - start,
            "parts": _joined(pieces(*client_ids[start:end])),
        }
        for start, end in pairwise(bounds)
    ]


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(sorted(parts))


class NameBlocks:
    """The blocks as one transaction changes them. What changes is noted, and written by ``settle``: until
    then the ids of a transaction are ahead of their blocks."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        # Realm, id, and how many more clients have it.
        self._changes: list[tuple[str, str, int]] = []

    @property
    def has_changes(self) -> bool:
        return bool(self._changes)

    def added(self, realm_id: str, client_id: str) -> None:
        self._changes.append((realm_id, client_id, 1))

    def removed(self, realm_id: str, client_id: str) -> None:
        self._changes.append((realm_id, client_id, -1))

    async def settle(self) -> None:
        """Write what was noted."""
        counts: dict[tuple[str, str], int] = {}
        for realm_id, client_id, change in self._changes:
            first, count = await self._change(realm_id, client_id, change)
            counts[realm_id, first] = count
        self._changes.clear()
        for (realm_id, first), count in counts.items():
            if count > 2 * BLOCK or (count == 0 and first):
                await self.make_anew(realm_id, first)

    async def is_exact(self, realm_id: str, first_client_id: str) -> bool:
        """Whether a block has the number of its clients, and all their pieces. One that others change
        meanwhile may seem not to."""
        of_block = _of(realm_id, first_client_id)
        block = await run_one(self._connection, _block, of_block)
        names = [row.client_id for row in await run(self._connection, _names_within, of_block)]
        if block is None:
            return not names
        return block.clients == len(names) and all(piece in block.parts for piece in pieces(*names))

    async def next(self, realm_id: str, first_client_id: str) -> str | None:
        """Where the next block begins; None after the last."""
        row = await run_one(self._connection, _next_alone, _of(realm_id, first_client_id))
        return None if row is None else row.first_client_id

    async def make_anew(self, realm_id: str, first_client_id: str) -> None:
        """Put blocks of the usual size, or none, in the place of one that grew too large, lost its last
        client or is not exact; nothing if it is gone. Only after the log's turn was taken, when nothing is
        noted any more."""
        of_block = _of(realm_id, first_client_id)
        names = [row.client_id for row in await run(self._connection, _names_within, of_block)]
        was_there = await run(self._connection, _delete, of_block)
        if names and (was_there or not first_client_id):
            for row in cut(realm_id, first_client_id, names):
                await run(self._connection, _insert, row)

    async def forget(self, realm_id: str) -> None:
        """All blocks of a deleted realm."""
        await self._connection.execute(delete(client_name_blocks).where(_blocks.realm_id == realm_id))

    async def _change(self, realm_id: str, client_id: str, change: int) -> tuple[str, int]:
        """Where the block begins that has this id, and how many clients are in it now."""
        wanted = {"of_realm_id": realm_id, "id": client_id, "change": change}
        block = await run_one(self._connection, _count, wanted)
        if block is None:
            for row in cut(realm_id, "", [client_id]):
                await run(self._connection, _insert, row)
            return "", 1
        new = {piece for piece in pieces(client_id) if piece not in block.parts} if change > 0 else None
        if new:
            parts = f"{block.parts}\n{_joined(new)}"
            await run(self._connection, _add_parts, {**_of(realm_id, block.first_client_id), "parts": parts})
        return block.first_client_id, block.clients


def _of(realm_id: str, first_client_id: str) -> dict[str, str]:
    return {"of_realm_id": realm_id, "of_first_client_id": first_client_id}
