"""Finding the realm a request is about."""

from keyturn_verifier.errors import UnknownRealmError
from keyturn_verifier.node.node import Basis
from keyturn_verifier.node.states import RealmState


async def require_realm(basis: Basis, name: str) -> RealmState:
    """The realm. Raises UnknownRealmError when there is none or it is switched off."""
    realm = await basis.realm(name)
    if realm is None or not realm.projection.enabled:
        raise UnknownRealmError(name[:100])
    return realm
