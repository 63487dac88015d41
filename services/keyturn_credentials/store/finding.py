"""Which clients a search finds: their ids, in order, without reading the clients themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, TextClause, bindparam, exists, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from keyturn_credentials.store.tables import client_attributes, client_names
from keyturn_credentials.store.transaction import Reading

_PART_CHARACTERS: Final = 3
_WINDOW: Final = 10_000
"""Ids that are looked at one after the other before the index of parts is asked. What many clients have in
their ids fills a page from few of them, while the index would have to give all those clients."""

# A plus sign keeps SQLite from walking through all ids of the realm because they are in order already.
_by_parts_sqlite: Final = text(
    "SELECT client_id FROM client_names"
    " WHERE id IN (SELECT rowid FROM client_names_parts WHERE client_names_parts MATCH :parts)"
    " AND +realm_id = :realm_id AND +client_id > :after AND instr(lower(client_id), :part) > 0"
    " ORDER BY +client_id LIMIT :most OFFSET :first"
)
_by_parts_postgresql: Final = text(
    "WITH found AS MATERIALIZED (SELECT client_id FROM client_names"
    " WHERE keyturn_parts(client_id) @> :parts AND realm_id = :realm_id AND client_id > :after"
    " AND strpos(lower(client_id), :part) > 0)"
    " SELECT client_id FROM found ORDER BY client_id LIMIT :most OFFSET :first"
).bindparams(bindparam("parts", type_=ARRAY(Text())))


@dataclass(frozen=True, slots=True)
class Criteria:
    """``client_id``: exactly, or with ``is_part`` anywhere in the id, in any case of ASCII letters."""

    client_id: str | None = None
    is_part: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """At most ``most`` of what is found after the id ``after``, without the first ``first``."""

    first: int
    most: int
    after: str = ""


async def find_ids(reading: Reading, realm_id: str, criteria: Criteria, page: Page) -> list[str]:
    """The ids of a page, in order."""
    on_postgresql = reading.connection.dialect.name == "postgresql"
    part = criteria.client_id if criteria.is_part else None
    if not part or criteria.attributes or len(part) < _PART_CHARACTERS:
        return await _ids(reading, _cut(_in_order(realm_id, criteria, page, on_postgresql), page))
    window = _cut(_names(realm_id, page.after), Page(0, _WINDOW)).subquery()
    in_window = select(window.c.client_id).where(_contains(window.c.client_id, part, on_postgresql))
    found = await _ids(reading, _cut(in_window.order_by(window.c.client_id), page))
    if len(found) == page.most:
        return found
    beyond = _cut(_names(realm_id, page.after), Page(_WINDOW, 1))
    if not await _ids(reading, beyond):
        return found
    lowered = _lowered(part)
    pieces = [lowered[start : start + _PART_CHARACTERS] for start in range(len(lowered) - 2)]
    values: dict[str, Any] = {"realm_id": realm_id, "part": lowered, "after": page.after}
    values |= {"most": page.most, "first": page.first}
    if on_postgresql:
        return await _ids(reading, _by_parts_postgresql, values | {"parts": pieces})
    quoted = ['"{}"'.format(piece.replace('"', '""')) for piece in pieces]
    return await _ids(reading, _by_parts_sqlite, values | {"parts": " AND ".join(quoted)})


async def _ids(
    reading: Reading, query: Select[Any] | TextClause, values: Mapping[str, Any] | None = None
) -> list[str]:
    return list((await reading.connection.execute(query, values)).scalars())


def _cut(query: Select[Any], page: Page) -> Select[Any]:
    return query.offset(page.first).limit(page.most)


def _names(realm_id: str, after: str) -> Select[Any]:
    of_realm = select(client_names.c.client_id).where(client_names.c.realm_id == realm_id)
    later = of_realm.where(client_names.c.client_id > after) if after else of_realm
    return later.order_by(client_names.c.client_id)


def _in_order(realm_id: str, criteria: Criteria, page: Page, on_postgresql: bool) -> Select[Any]:
    """Of the attributes the first one leads; both it and the ids alone are there in order."""
    attributes = list(criteria.attributes.items())
    query = (
        _with_attribute(realm_id, *attributes[0], page.after) if attributes else _names(realm_id, page.after)
    )
    column = query.selected_columns[0]
    for name, value in attributes[1:]:
        other = client_attributes.alias()
        query = query.where(
            exists().where(
                other.c.realm_id == realm_id,
                other.c.client_id == column,
                other.c.name == name,
                other.c.value == value,
            )
        )
    if not criteria.client_id:
        return query
    if criteria.is_part:
        return query.where(_contains(column, criteria.client_id, on_postgresql))
    return query.where(column == criteria.client_id)


def _with_attribute(realm_id: str, name: str, value: str, after: str) -> Select[Any]:
    columns = client_attributes.c
    query = select(columns.client_id).where(
        columns.realm_id == realm_id, columns.name == name, columns.value == value
    )
    later = query.where(columns.client_id > after) if after else query
    return later.order_by(columns.client_id)


def _contains(column: ColumnElement[str], part: str, on_postgresql: bool) -> ColumnElement[bool]:
    """In any case of ASCII letters, as SQLite's LIKE is by itself."""
    if on_postgresql:
        return func.strpos(func.lower(column), _lowered(part)) > 0
    return column.contains(part, autoescape=True)


def _lowered(part: str) -> str:
    """As the database does it: letters other than ASCII stay as they are."""
    return part.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
