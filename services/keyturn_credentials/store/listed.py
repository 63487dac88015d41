"""Many values in one parameter: a JSON array, which both databases take apart."""

from typing import Any

from sqlalchemy import JSON, Select, bindparam, func, select


def texts_of(parameter: str, *, on_postgresql: bool) -> Select[Any]:
    """A query for the texts in a parameter that is given a list of them, however long."""
    given = bindparam(parameter, type_=JSON)
    if on_postgresql:
        return select(func.json_array_elements_text(given).column_valued())
    return select(func.json_each(given).table_valued("value").c.value)
