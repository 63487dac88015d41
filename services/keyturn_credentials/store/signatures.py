"""Storage of signatures for projections that lack one of the current key.

An earlier build signed nothing, or a former key signed. The relay signs these whenever it reads them; here
that is done permanently, so that a refill has nothing to sign.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import LargeBinary, bindparam, select, update

from keyturn_credentials.store.database import Database
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.tables import log_identity, projections
from keyturn_shared.signed_log.envelope import signature_of
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner

_identity: Final = select(log_identity.c.identity)
_page: Final = (
    select(projections.c.field, projections.c.sequence, projections.c.body)
    .where(projections.c.field > bindparam("after"), projections.c.body.is_not(None))
    .order_by(projections.c.field)
    .limit(bindparam("most"))
)
# Only over what was read: a concurrent change has a signature of its own.
_write: Final = (
    update(projections)
    .where(projections.c.field == bindparam("at"), projections.c.sequence == bindparam("of"))
    .values(body=bindparam("signed", type_=LargeBinary))
    .returning(projections.c.field)
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of projections: the field it ends with, None after the last page; their number; and those
    without a current signature, by field, sequence and JSON."""

    last: str | None
    seen: int
    others: tuple[tuple[str, int, bytes], ...] = ()


class Signatures:
    """The projections in the order of their fields, one page at a time. Raises StoreUnavailableError."""

    def __init__(self, database: Database, keys: LogSigningKeys) -> None:
        self._database = database
        self._keys = keys

    async def look(self, after: str, most: int) -> Page:
        """Read the page after this field."""
        with map_driver_errors():
            async with self._database.reading() as connection:
                rows = (await connection.execute(_page, {"after": after, "most": most})).all()
        if not rows:
            return Page(None, 0)
        others = tuple((row.field, row.sequence, row.body) for row in rows if not self._is_current(row.body))
        return Page(rows[-1].field, len(rows), others)

    async def renew(self, page: Page) -> None:
        """Sign what is not current, in one short transaction; none if there is nothing to do."""
        if not page.others:
            return
        with map_driver_errors():
            async with self._database.writing() as connection:
                signer = LogSigner(self._keys, (await connection.execute(_identity)).scalar_one())
                for field, sequence, body in page.others:
                    signed = signer.projection(field, sequence, body)
                    await connection.execute(_write, {"at": field, "of": sequence, "signed": signed})

    def _is_current(self, body: bytes) -> bool:
        signature = signature_of(body)
        return signature is not None and self._keys.is_current(signature)
