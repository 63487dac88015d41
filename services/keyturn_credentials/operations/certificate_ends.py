"""Reads all clients once: fills in ends of certificates, and finds secrets that cannot be decrypted."""

from collections.abc import AsyncIterator
from typing import Final

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.store.ending_credentials import note_certificate_end, stored_ends
from keyturn_credentials.store.unit_of_work import SYSTEM, Store

_PAGE: Final = 500


class CertificateEnds:
    """Goes through the clients of each realm once after the start: an earlier build may have run until then,
    and wrote no ends. Several instances may do so at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._done: set[str] = set()

    async def walk(self, realm: Realm) -> AsyncIterator[list[str]]:
        """Go through the realm's clients, a page at each step. Yield the UUIDs of those with a secret that
        cannot be decrypted. Raises StoreUnavailableError."""
        after: str | None = None if realm.id in self._done else ""
        while after is not None:
            async with self._store.read() as reading:
                page = await stored_ends(reading, realm.id, after=after, most=_PAGE)
            if page.differing:
                async with self._store.change(SYSTEM) as transaction:
                    for client in page.differing:
                        await note_certificate_end(transaction.connection, client)
            yield page.unreadable
            after = page.last
        self._done.add(realm.id)
