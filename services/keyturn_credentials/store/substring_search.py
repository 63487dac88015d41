"""Search for ids that contain a substring, in order, without scanning all ids of the realm.

First, blocks that have the substring's pieces are searched one after the other until the page is full: a
common substring fills it from few blocks. If the first blocks do not fill it, and many more might match, the
index of all three-character parts is used.
"""

from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.page_index import BEYOND, BLOCK, pieces, to_ascii_lower

_INDEXED_CHARACTERS: Final = 3
_BLOCKS: Final = 8
"""Blocks searched before the index is used, in addition to those that the page skips."""
_MAX_BLOCKS: Final = 80
"""The same, including skipped ones."""
_MAX_PIECES: Final = 16
"""Pieces of a longer substring that are used; more would hardly exclude further blocks."""


class _Statements(NamedTuple):
    """``blocks``: where those begin that have the pieces; ``within``: ids from the blocks before ``end``;
    ``indexed``: ids by the index."""

    blocks: TextClause
    within: TextClause
    indexed: TextClause


_LIKE_PART: Final = "names.client_id LIKE :pattern ESCAPE '/'"


@cache
def _statements(on_postgresql: bool, pieces_count: int) -> _Statements:
    place = "strpos" if on_postgresql else "instr"
    # SQLite's LIKE itself ignores the case of ASCII letters, in half the time.
    has_part = "strpos(lower(names.client_id), :part) > 0" if on_postgresql else _LIKE_PART
    conditions = [
        "blocks.realm_id = :realm_id",
        "blocks.first_client_id >= coalesce((SELECT max(first_client_id) FROM client_name_blocks"
        " WHERE realm_id = :realm_id AND first_client_id <= :after), '')",
        *(f"{place}(blocks.parts, :piece_{number}) > 0" for number in range(pieces_count)),
    ]
    having = " AND ".join(conditions)
    blocks = (
        "SELECT blocks.first_client_id FROM client_name_blocks AS blocks"  # noqa: S608 - conditions of ours alone
        f" WHERE {having} ORDER BY blocks.first_client_id LIMIT :blocks"
    )
    # One lower bound for the ids, not two: SQLite would enter the index at the first of them. The blocks come
    # first, so that their order is that of the ids, and nothing is scanned beyond the page.
    within = (
        "SELECT names.client_id FROM client_name_blocks AS blocks CROSS JOIN client_names AS names"  # noqa: S608 - as above
        f" WHERE {having} AND blocks.first_client_id < :end AND names.realm_id = :realm_id"
        " AND names.client_id >="
        " CASE WHEN blocks.first_client_id > :after THEN blocks.first_client_id ELSE :after END"
        " AND names.client_id < coalesce((SELECT min(later.first_client_id) FROM client_name_blocks AS later"
        " WHERE later.realm_id = :realm_id AND later.first_client_id > blocks.first_client_id), :beyond)"
        f" AND names.client_id <> :after AND {has_part}"
        " ORDER BY blocks.first_client_id, names.client_id LIMIT :most OFFSET :first"
    )
    return _Statements(text(blocks), text(within), _BY_INDEX[on_postgresql])


_BY_INDEX: Final = {
    # A plus sign keeps SQLite from scanning all ids of the realm because they are already in order.
    False: text(
        "SELECT client_id FROM client_names"
        " WHERE id IN (SELECT rowid FROM client_names_parts WHERE client_names_parts MATCH :indexed)"
        " AND +realm_id = :realm_id AND +client_id > :after AND instr(lower(client_id), :part) > 0"
        " ORDER BY +client_id LIMIT :most OFFSET :first"
    ),
    True: text(
        "WITH found AS MATERIALIZED (SELECT client_id FROM client_names"
        " WHERE keyturn_parts(client_id) @> :indexed AND realm_id = :realm_id AND client_id > :after"
        " AND strpos(lower(client_id), :part) > 0)"
        " SELECT client_id FROM found ORDER BY client_id LIMIT :most OFFSET :first"
    ).bindparams(bindparam("indexed", type_=ARRAY(Text()))),
}


async def find_ids_containing(
    connection: Connection, realm_id: str, part: str, *, after: str, first: int, most: int
) -> list[str]:
    """Return at most ``most`` ids after ``after`` that contain the substring, without the ``first`` ones.
    ``part``: not empty, in any case of ASCII letters."""
    on_postgresql = connection.dialect.name == "postgresql"
    searched = sorted(pieces(part))[:_MAX_PIECES]
    statements = _statements(on_postgresql, len(searched))
    values: dict[str, Any] = {
        "realm_id": realm_id,
        "after": after,
        "part": to_ascii_lower(part),
        "beyond": BEYOND,
    }
    values["pattern"] = f"%{_escaped(part)}%"
    values |= {"first": first, "most": most, "end": BEYOND}
    values |= {f"piece_{number}": piece for number, piece in enumerate(searched)}

    async def found(statement: TextClause, **more: Any) -> list[str]:
        return list((await connection.execute(statement, values | more)).scalars())

    if len(part) < _INDEXED_CHARACTERS:
        # Every such block has clients with exactly this substring, unless they were deleted.
        return await found(statements.within)
    looked_into = min(_BLOCKS + first // BLOCK, _MAX_BLOCKS)
    beginnings = await found(statements.blocks, blocks=looked_into + 1)
    if len(beginnings) <= looked_into:
        return await found(statements.within) if beginnings else []
    ids = await found(statements.within, end=beginnings[-1])
    if len(ids) == most:
        return ids
    return await found(statements.indexed, indexed=_indexed(to_ascii_lower(part), on_postgresql))


def _escaped(part: str) -> str:
    """Escape for LIKE, with "/" as the escape character."""
    return part.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _indexed(part: str, on_postgresql: bool) -> list[str] | str:
    """Build the index query: all three-character parts of the substring."""
    found = [part[start : start + _INDEXED_CHARACTERS] for start in range(len(part) - 2)]
    if on_postgresql:
        return found
    return " AND ".join('"{}"'.format(piece.replace('"', '""')) for piece in found)
