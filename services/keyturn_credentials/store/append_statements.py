"""Statements that append an event, the projections it touches and its audit entry.

The names of their parameters begin with ``event_``, ``projection_`` and ``audit_``.
"""

from typing import Any, Final

from sqlalchemy import bindparam, insert

from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.audit_writing import WRITTEN
from keyturn_credentials.store.tables import events, projections
from keyturn_credentials.store.upsert import insert_into

INSERT_EVENT: Final = insert(events).values(
    {name: bindparam(f"event_{name}") for name in events.columns.keys()}  # noqa: SIM118 - not a mapping
)
INSERT_AUDIT: Final = insert(audit).values({name: bindparam(f"audit_{name}") for name in WRITTEN}).inline()


def _upsert_projection(*, on_postgresql: bool) -> Any:
    values: dict[str, Any] = {name: bindparam(f"projection_{name}") for name in ("field", "sequence", "body")}
    statement = insert_into(projections, on_postgresql=on_postgresql).values(values)
    new = {"sequence": statement.excluded.sequence, "body": statement.excluded.body}
    return statement.on_conflict_do_update(index_elements=["field"], set_=new)


def _append_at_once() -> Any:
    """Build one statement, to save round trips while the counter's row is locked."""
    projected = _upsert_projection(on_postgresql=True).returning(projections.c.sequence)
    logged = INSERT_EVENT.returning(events.c.sequence)
    return INSERT_AUDIT.add_cte(projected.cte("projected"), logged.cte("logged"))


UPSERT_PROJECTION: Final = {
    True: _upsert_projection(on_postgresql=True),
    False: _upsert_projection(on_postgresql=False),
}
APPEND: Final = _append_at_once()
