"""Search for client ids, in order, without reading the clients themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, TextClause, exists, func, select, text

from keyturn_credentials.store.page_index import to_ascii_lower
from keyturn_credentials.store.search_query import Criteria
from keyturn_credentials.store.substring_search import find_ids_containing
from keyturn_credentials.store.tables import client_attributes, client_names
from keyturn_credentials.store.unit_of_work import Reading

_WALKED: Final = 10_000
"""Number of ids that can be skipped one by one as fast as by adding up their blocks."""
_COUNTED: Final = (1_000, 100_000)
"""Clients counted per attribute, at first and at most."""

_far: Final = text(
    "WITH placed AS (SELECT first_client_id, sum(clients) OVER (ORDER BY first_client_id) - clients AS before"
    " FROM client_name_blocks WHERE realm_id = :realm_id),"
    " beginning AS MATERIALIZED (SELECT first_client_id, before FROM placed WHERE before <= :first"
    " ORDER BY first_client_id DESC LIMIT 1)"
    " SELECT client_id FROM client_names WHERE realm_id = :realm_id"
    " AND client_id >= (SELECT first_client_id FROM beginning)"
    " ORDER BY client_id LIMIT :most OFFSET coalesce((SELECT :first - before FROM beginning), 0)"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a result: at most ``most`` ids after the id ``after``, skipping the first ``first``."""

    first: int
    most: int
    after: str = ""


async def find_ids(reading: Reading, realm_id: str, criteria: Criteria, page: Page) -> list[str]:
    """Return the ids of a page, in order."""
    if criteria.attributes:
        attributes = await _order_by_rarity(reading, realm_id, criteria.attributes)
        return await _ids(reading, _cut(_with_attributes(realm_id, attributes, criteria, page.after), page))
    if criteria.client_id and criteria.is_part:
        return await find_ids_containing(
            reading.connection,
            realm_id,
            criteria.client_id,
            after=page.after,
            first=page.first,
            most=page.most,
        )
    query = _names(realm_id, page.after)
    if criteria.client_id:
        query = query.where(client_names.c.client_id == criteria.client_id)
    elif page.first > _WALKED and not page.after:
        values = {"realm_id": realm_id, "first": page.first, "most": page.most}
        return await _ids(reading, _far, values)
    return await _ids(reading, _cut(query, page))


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


async def _order_by_rarity(
    reading: Reading, realm_id: str, attributes: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the attributes, the rarest first. Common ones are not counted exactly, to save time."""
    found = list(attributes.items())
    if len(found) == 1:
        return found
    for most in _COUNTED:
        counts = [await _count(reading, realm_id, attribute, most) for attribute in found]
        if min(counts) < most:
            break
    return [found[place] for place in sorted(range(len(found)), key=counts.__getitem__)]


async def _count(reading: Reading, realm_id: str, attribute: tuple[str, str], most: int) -> int:
    some = _with_attribute(realm_id, *attribute, "").limit(most).subquery()
    count = await reading.connection.execute(select(func.count()).select_from(some))
    return int(count.scalar_one())


def _with_attributes(
    realm_id: str, attributes: list[tuple[str, str]], criteria: Criteria, after: str
) -> Select[Any]:
    """Select ids by attributes. The first attribute leads: its rows are in order of the ids."""
    query = _with_attribute(realm_id, *attributes[0], after)
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
        return query.where(func.lower(column).contains(to_ascii_lower(criteria.client_id), autoescape=True))
    return query.where(column == criteria.client_id)


def _with_attribute(realm_id: str, name: str, value: str, after: str) -> Select[Any]:
    columns = client_attributes.c
    query = select(columns.client_id).where(
        columns.realm_id == realm_id, columns.name == name, columns.value == value
    )
    later = query.where(columns.client_id > after) if after else query
    return later.order_by(columns.client_id)
