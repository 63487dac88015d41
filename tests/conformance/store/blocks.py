"""Invariants of the blocks of names."""

from itertools import pairwise

from sqlalchemy import select

from keyturn_credentials.store import page_index
from keyturn_credentials.store.tables import client_name_blocks, client_names
from tests.conformance.store.conftest import Instance


def folded(text: str) -> str:
    return text.encode().lower().decode()


async def require_exact_blocks(instance: Instance, realm_id: str) -> list[str]:
    """Return the ids of the realm. Every block must have the number of its clients, and all their pieces."""
    async with instance.store.read() as reading:
        names = select(client_names.c.client_id).where(client_names.c.realm_id == realm_id)
        found = list((await reading.connection.execute(names)).scalars())
        blocks = select(client_name_blocks).where(client_name_blocks.c.realm_id == realm_id)
        rows = list(await reading.connection.execute(blocks.order_by(client_name_blocks.c.first_client_id)))
    assert not found or rows[0].first_client_id == ""
    bounds = [row.first_client_id for row in rows] + ["\U0010ffff" * 256]
    assert all(before < after for before, after in pairwise(bounds))
    for row, (begin, end) in zip(rows, pairwise(bounds), strict=True):
        within = [name for name in found if begin <= name < end]
        assert row.clients == len(within) <= 2 * page_index.BLOCK
        assert row.clients or not begin, "an empty block stays only at the beginning"
        for name in map(folded, within):
            wanted = [name[start : start + 2] for start in range(len(name) - 1)] or [name]
            assert all(piece in row.parts for piece in wanted)
    return sorted(found)
