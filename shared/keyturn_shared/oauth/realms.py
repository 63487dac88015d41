"""Lookup of a request's realm."""

from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import UnknownRealmError
from keyturn_shared.oauth.ports import ReadSet


async def require_realm(read_set: ReadSet, name: str) -> RealmState:
    """Return the realm. Raises UnknownRealmError if it does not exist or is disabled."""
    realm = await read_set.realm(name)
    if realm is None or not realm.projection.enabled:
        raise UnknownRealmError(name[:100])
    return realm
