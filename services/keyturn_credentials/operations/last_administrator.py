"""The rule that realm ``master`` keeps a client that can administer keyturn."""

from collections.abc import Sequence

from keyturn_credentials.domain.administrators import administers
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.errors import LastAdministratorError
from keyturn_credentials.store.unit_of_work import UnitOfWork


async def require_administrator(
    transaction: UnitOfWork, realm: Realm, changes: Sequence[tuple[Client | None, Client | None]]
) -> None:
    """Raise LastAdministratorError if these changes, which the transaction has written, leave no client that
    can administer keyturn. Changes of other clients and realms cost nothing."""
    if realm.name != MASTER:
        return
    if not any(administers(before) and not administers(after) for before, after in changes):
        return
    # Of two changes that each take one of two administrators, the second sees the outcome of the first.
    await transaction.lock_event_log()
    if not any(map(administers, await transaction.clients.administrators(realm.id))):
        raise LastAdministratorError(
            "this would leave keyturn without an administrator: first give another client of realm master,"
            " enabled and with a service account, the admin role admin"
        )
