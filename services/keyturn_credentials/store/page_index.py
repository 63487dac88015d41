"""Index of a realm's client ids: blocks of neighbours, each with the number of its clients and all pairs of
characters in their ids.

A page far from the beginning is found by adding up the blocks before it; a substring is searched only in
blocks that have its pieces. A block may have pieces of former clients, but never too few.

Blocks are written after the transaction's stamp was taken: one transaction at a time, each of which sees the
ids of earlier ones, without taking a lock that could block another transaction.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import client_name_blocks, client_names

BLOCK: Final = 1024
"""Clients of a new block; it is split when there are more than twice as many."""

BEYOND: Final = "\U0010ffff" * 256
"""Sorts after every id: these have at most 255 characters."""

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
_beginnings: Final = select(_blocks.first_client_id).where(
    _blocks.realm_id == bindparam("of_realm_id"),
    _blocks.first_client_id > bindparam("id"),
    _blocks.first_client_id <= bindparam("last_id"),
)
_count: Final = (
    update(client_name_blocks)
    .where(_blocks.realm_id == bindparam("of_realm_id"), _blocks.first_client_id == _last_until)
    .values(clients=_blocks.clients + bindparam("change"))
    .returning(_blocks.first_client_id, _blocks.clients, _blocks.parts)
)
_insert: Final = insert(client_name_blocks)
_add_parts: Final = update(client_name_blocks).where(_own)
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


def to_ascii_lower(text: str) -> str:
    """Lower-case ASCII letters only, as the databases do in searches."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def pieces(*texts: str) -> set[str]:
    """Return all pairs of characters in the texts, in lower case; a single character counts by itself. No id
    contains the newline that separates the texts."""
    folded = to_ascii_lower("\n".join(texts))
    pairs = {first + second for first, second in set(pairwise(folded)) if "\n" not in (first, second)}
    return pairs | {each for each in folded.split("\n") if len(each) == 1}


def cut(realm_id: str, first_client_id: str, client_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Build rows of blocks for consecutive ids; the first of them begins with ``first_client_id``."""
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


class PageIndex:
    """The blocks as one transaction changes them. Changes are noted, and written by ``flush``: until then the
    ids of a transaction are ahead of their blocks."""

    def __init__(self, connection: Connection) -> None:
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

    async def flush(self) -> None:
        """Write the pending changes, block by block."""
        by_realm: dict[str, dict[str, int]] = {}
        for realm_id, client_id, change in self._changes:
            changes = by_realm.setdefault(realm_id, {})
            changes[client_id] = changes.get(client_id, 0) + change
        self._changes.clear()
        counts: dict[tuple[str, str], int] = {}
        for realm_id, changes in by_realm.items():
            for ids in await self._by_block(realm_id, sorted(changes)):
                first, count = await self._change(realm_id, {each: changes[each] for each in ids})
                counts[realm_id, first] = count
        for (realm_id, first), count in counts.items():
            if count > 2 * BLOCK or (count == 0 and first):
                await self.rebuild(realm_id, first)

    async def _by_block(self, realm_id: str, ids: Sequence[str]) -> list[Sequence[str]]:
        """Return the ids in order, grouped by block."""
        if len(ids) == 1:
            return [ids]
        wanted = {"of_realm_id": realm_id, "id": ids[0], "last_id": ids[-1]}
        begins = (await self._connection.execute(_beginnings, wanted)).scalars()
        bounds = [0, *(bisect_left(ids, begin) for begin in begins), len(ids)]
        return [ids[start:end] for start, end in pairwise(sorted(bounds)) if start < end]

    async def is_exact(self, realm_id: str, first_client_id: str) -> bool:
        """Return whether a block has the number of its clients, and all their pieces. During a concurrent
        change it may seem inexact."""
        of_block = _of(realm_id, first_client_id)
        block = (await self._connection.execute(_block, of_block)).one_or_none()
        names = list((await self._connection.execute(_names_within, of_block)).scalars())
        if block is None:
            return not names
        return block.clients == len(names) and all(piece in block.parts for piece in pieces(*names))

    async def next_block(self, realm_id: str, first_client_id: str) -> str | None:
        """Return the id with which the next block begins; None after the last."""
        row = (await self._connection.execute(_next_alone, _of(realm_id, first_client_id))).one_or_none()
        return None if row is None else row.first_client_id

    async def rebuild(self, realm_id: str, first_client_id: str) -> None:
        """Replace a block that grew too large, lost its last client or is inexact by blocks of the usual
        size, or none.

        Nothing happens if it is gone. Call it only after the event log was locked, when no change is noted.
        """
        of_block = _of(realm_id, first_client_id)
        names = list((await self._connection.execute(_names_within, of_block)).scalars())
        was_there = (await self._connection.execute(_delete, of_block)).all()
        if names and (was_there or not first_client_id):
            for row in cut(realm_id, first_client_id, names):
                await self._connection.execute(_insert, row)

    async def delete_realm(self, realm_id: str) -> None:
        """Delete all blocks of a realm."""
        await self._connection.execute(delete(client_name_blocks).where(_blocks.realm_id == realm_id))

    async def _change(self, realm_id: str, changes: Mapping[str, int]) -> tuple[str, int]:
        """Change the number of clients in the block of these ids. Return the block's first id and its new
        number of clients."""
        added = [client_id for client_id, change in changes.items() if change > 0]
        wanted = {"of_realm_id": realm_id, "id": next(iter(changes)), "change": sum(changes.values())}
        block = (await self._connection.execute(_count, wanted)).one_or_none()
        if block is None:
            for row in cut(realm_id, "", list(changes)):
                await self._connection.execute(_insert, row)
            return "", len(changes)
        new = [piece for piece in pieces(*added) if piece not in block.parts] if added else []
        if new:
            parts = f"{block.parts}\n{_joined(new)}"
            await self._connection.execute(
                _add_parts, {**_of(realm_id, block.first_client_id), "parts": parts}
            )
        return block.first_client_id, block.clients


def _of(realm_id: str, first_client_id: str) -> dict[str, str]:
    return {"of_realm_id": realm_id, "of_first_client_id": first_client_id}
