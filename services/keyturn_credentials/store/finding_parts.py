"""Ids that have a part in them, in order, without looking at all ids of the realm.

First in the blocks that have the part's pieces, one after the other until the page is full: what many clients
have fills it from few of them. What the first of these blocks do not fill, and may be anywhere in many more,
is asked of the index of all parts of three characters.
"""

from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from keyturn_credentials.store.name_blocks import BEYOND, BLOCK, lowered, pieces

_INDEXED_CHARACTERS: Final = 3
_BLOCKS: Final = 8
"""That are looked into before the index is asked, besides those that the page leaves behind."""
_MOST_BLOCKS: Final = 80
"""With these."""
_MOST_PIECES: Final = 16
"""Of a longer part; more would hardly rule out any more blocks."""


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
    # SQLite's LIKE folds letters itself, ASCII alone, in half the time.
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
    # One lower bound for the ids, not two: SQLite would enter the index at the first of them. And the blocks
    # come first, so that their order is that of the ids, and nothing is walked over beyond the page.
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
    # A plus sign keeps SQLite from walking through all ids of the realm because they are in order already.
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


async def ids_with_part(
    connection: AsyncConnection, realm_id: str, part: str, *, after: str, first: int, most: int
) -> list[str]:
    """At most ``most`` of the ids that come after ``after`` and have the part, without the ``first`` ones.
    ``part``: in any case of ASCII letters, not empty."""
    on_postgresql = connection.dialect.name == "postgresql"
    searched = sorted(pieces(part))[:_MOST_PIECES]
    statements = _statements(on_postgresql, len(searched))
    values: dict[str, Any] = {"realm_id": realm_id, "after": after, "part": lowered(part), "beyond": BEYOND}
    values["pattern"] = f"%{_escaped(part)}%"
    values |= {"first": first, "most": most, "end": BEYOND}
    values |= {f"piece_{number}": piece for number, piece in enumerate(searched)}

    async def found(statement: TextClause, **more: Any) -> list[str]:
        return list((await connection.execute(statement, values | more)).scalars())

    if len(part) < _INDEXED_CHARACTERS:
        # Every such block has clients with just this part, unless they have gone.
        return await found(statements.within)
    looked_into = min(_BLOCKS + first // BLOCK, _MOST_BLOCKS)
    beginnings = await found(statements.blocks, blocks=looked_into + 1)
    if len(beginnings) <= looked_into:
        return await found(statements.within) if beginnings else []
    ids = await found(statements.within, end=beginnings[-1])
    if len(ids) == most:
        return ids
    return await found(statements.indexed, indexed=_indexed(lowered(part), on_postgresql))


def _escaped(part: str) -> str:
    """For LIKE, with "/" to escape by."""
    return part.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _indexed(part: str, on_postgresql: bool) -> list[str] | str:
    """What the index is asked for: all that is three characters long in the part."""
    found = [part[start : start + _INDEXED_CHARACTERS] for start in range(len(part) - 2)]
    if on_postgresql:
        return found
    return " AND ".join('"{}"'.format(piece.replace('"', '""')) for piece in found)
