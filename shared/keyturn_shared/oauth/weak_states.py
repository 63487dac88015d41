"""The states on which something in memory rests."""

from typing import Final
from weakref import ref

from keyturn_shared.oauth.entities import ClientState, RealmState
from keyturn_shared.oauth.errors import UnsettledError


class WeakStates:
    """A realm and a client, which this does not keep in memory. They may be large, and a tenant may change
    them again and again: what rests on former states must not hold them all."""

    __slots__ = ("_client", "_realm")

    def __init__(self, realm: RealmState, client: ClientState) -> None:
        self._realm: Final = ref(realm)
        self._client: Final = ref(client)

    @property
    def is_current(self) -> bool:
        """True while no event has changed either of them."""
        realm, client = self._realm(), self._client()
        if realm is None or client is None:
            return False
        return not (realm.superseded or client.superseded)

    @property
    def realm(self) -> RealmState:
        """The realm. Raises UnsettledError if nothing holds it any more."""
        realm = self._realm()
        if realm is None:
            raise UnsettledError("the realm has changed")
        return realm

    @property
    def client(self) -> ClientState:
        """The client. Raises UnsettledError if nothing holds it any more."""
        client = self._client()
        if client is None:
            raise UnsettledError("the client has changed")
        return client
