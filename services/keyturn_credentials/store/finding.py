"""Which clients a search finds: their ids, in order, without reading the clients themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Select, TextClause, exists, func, select, text

from keyturn_credentials.store.finding_parts import ids_with_part
from keyturn_credentials.store.name_blocks import lowered
from keyturn_credentials.store.tables import client_attributes, client_names
from keyturn_credentials.store.transaction import Reading

_WALKED: Final = 10_000
"""Ids that are walked over as fast as their blocks are added up."""
_COUNTED: Final = (1_000, 100_000)
"""How many clients with an attribute are counted, at first and at most."""

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
    if criteria.attributes:
        attributes = await _rarest_first(reading, realm_id, criteria.attributes)
        return await _ids(reading, _cut(_with_attributes(realm_id, attributes, criteria, page.after), page))
    if criteria.client_id and criteria.is_part:
        return await ids_with_part(
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


async def _rarest_first(
    reading: Reading, realm_id: str, attributes: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The attributes, the one that the fewest clients have at the beginning. As far as it is worth while: the
    number of those that very many have is not known."""
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
    """The first attribute leads: those that have it are there in order of their ids."""
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
        return query.where(func.lower(column).contains(lowered(criteria.client_id), autoescape=True))
    return query.where(column == criteria.client_id)


def _with_attribute(realm_id: str, name: str, value: str, after: str) -> Select[Any]:
    columns = client_attributes.c
    query = select(columns.client_id).where(
        columns.realm_id == realm_id, columns.name == name, columns.value == value
    )
    later = query.where(columns.client_id > after) if after else query
    return later.order_by(columns.client_id)
