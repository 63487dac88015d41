"""Lists as one statement parameter: a JSON array, which both databases can expand."""

from typing import Any

from sqlalchemy import JSON, Select, bindparam, func, select


def texts_of(parameter: str, *, on_postgresql: bool) -> Select[Any]:
    """Return a query for the texts in a list parameter of any length."""
    given = bindparam(parameter, type_=JSON)
    if on_postgresql:
        return select(func.json_array_elements_text(given).column_valued())
    return select(func.json_each(given).table_valued("value").c.value)
