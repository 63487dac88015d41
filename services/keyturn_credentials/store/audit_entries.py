"""Statements that read and write the chain's columns of audit entries."""

from typing import Any, Final

from sqlalchemy import Text, bindparam, cast, delete, func, select, type_coerce, update
from sqlalchemy.types import NullType

from keyturn_credentials.domain.audit_chain.entries import FIELDS, WRONG, Entry, entry_of
from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.connection import Connection

_number: Final = audit.c.chain_number
_is_unchained: Final = _number.is_(None)

COLUMNS: Final = (
    audit.c.id,
    *(audit.c[name] for name in FIELDS[:-1]),
    # As text: the driver may refuse what somebody has written there.
    cast(audit.c.details, Text).label("details"),
    audit.c.mac,
    _number,
    type_coerce(audit.c.chain_previous, NullType).label("chain_previous"),
    audit.c.chain_standing,
)
_entries: Final = select(*COLUMNS)

# In the order of the index, so that no database scans all entries to find these in the order of ids.
_unchained: Final = _entries.where(_is_unchained).order_by(_number, audit.c.id).limit(bindparam("most"))
unchained: Final = _unchained.with_for_update()
after: Final = (
    _entries.where(_number > bindparam("number")).order_by(_number, audit.c.id).limit(bindparam("most"))
)
newest: Final = _entries.where(_number.is_not(None)).order_by(_number.desc(), audit.c.id).limit(1)
unchained_after: Final = _unchained.where(audit.c.id > bindparam("id"))
any_unchained: Final = select(audit.c.id).where(_is_unchained).order_by(_number, audit.c.id).limit(1)
_newest_some: Final = (
    select(audit.c.id, audit.c.chain_standing)
    .where(_number.is_not(None))
    .order_by(_number.desc())
    .limit(bindparam("among"))
    .subquery()
)
wrong_of_newest: Final = (
    select(_newest_some)
    .where(_newest_some.c.chain_standing.in_([int(standing) for standing in sorted(WRONG)]))
    .order_by(_newest_some.c.id.desc())
)
"""Ids and standings of entries of a wrong standing, ``among`` the newest of the chain."""
add: Final = (
    update(audit)
    .where(audit.c.id == bindparam("of"))
    .values(
        chain_number=bindparam("at"), chain_previous=bindparam("before"), chain_standing=bindparam("standing")
    )
)
forget: Final = delete(audit).where(_number > bindparam("number"), _number <= bindparam("last"))
_some_chained: Final = select(audit.c.id).where(_number.is_not(None)).limit(bindparam("most"))
unchain_some: Final = (
    update(audit)
    .where(audit.c.id.in_(_some_chained.scalar_subquery()))
    .values(chain_number=None, chain_previous=None, chain_standing=None)
    .returning(audit.c.id)
)
_repeated: Final = select(audit.c.mac).where(audit.c.mac.is_not(None)).group_by(audit.c.mac)
_of_repeated: Final = _repeated.having(func.count() > 1)
repeated: Final = select(audit.c.id).where(audit.c.mac.in_(_of_repeated)).order_by(audit.c.id).limit(1000)
forget_repeated_codes: Final = update(audit).where(audit.c.mac.in_(_of_repeated)).values(mac=None)


async def entries(connection: Connection, statement: Any, **values: Any) -> list[Entry]:
    """Return the entries that a statement of this module selects."""
    found = await connection.execute(statement, values)
    return [entry_of(row) for row in found.mappings()]
