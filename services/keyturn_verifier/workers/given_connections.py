"""A worker's connections: its parent accepts them, counts them and holds the limits."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from keyturn_shared.http_server.accepted_sockets import AcceptedSockets
from keyturn_shared.http_server.connections import ConnectionLimits, ConnectionTable, Shortage
from keyturn_verifier.workers.records import Kind, Record

SHORTAGES: Final = {
    Kind.CONNECTION_BEYOND_ADDRESS: Shortage.OF_ADDRESS,
    Kind.CONNECTION_BEYOND_ALL: Shortage.OF_ALL,
}
CONNECTIONS: Final = {Kind.CONNECTION, Kind.CONNECTION_REFUSED, *SHORTAGES}
"""Kinds of records with an accepted connection."""


class ToParent(Protocol):
    """The way back to the parent."""

    def send(self, kind: Kind, number: int = 0, slot: int = 0) -> None: ...


class GivenConnections(ConnectionTable):
    """The connections of one worker: the parent says what each of them is beyond. It is told when one no
    longer counts."""

    def __init__(self, limits: ConnectionLimits, parent: Callable[[], ToParent]) -> None:
        super().__init__(limits)
        self._parent = parent
        self._given: dict[object, tuple[int, Kind]] = {}

    def expect(self, connection: object, number: int, kind: Kind) -> None:
        """Note what the parent said about a connection."""
        self._given[connection] = (number, kind)

    def shortage(self, connection: object, open_of_address: int, *, is_exempt: bool) -> Shortage | None:
        given = self._given.get(connection)
        return None if given is None else SHORTAGES.get(given[1])

    def admit(self, connection: object, address: str, end: Callable[[], object]) -> bool:
        given = self._given.get(connection)
        is_refused = given is not None and given[1] is Kind.CONNECTION_REFUSED
        if not is_refused and super().admit(connection, address, end):
            return True
        self.turned_away += is_refused
        self._tell(connection)
        return False

    def remove(self, connection: object) -> None:
        super().remove(connection)
        self._tell(connection)

    def _tell(self, connection: object) -> None:
        given = self._given.pop(connection, None)
        if given is not None:
            self._parent().send(Kind.CLOSED, given[0])


class ConnectionSource:
    """Brings the connections that the parent has accepted, until it is closed."""

    def __init__(
        self, table: GivenConnections, parent: Callable[[], ToParent], family: socket.AddressFamily
    ) -> None:
        self._family = family
        self._table = table
        self._parent = parent
        self._sockets: AcceptedSockets | None = None

    def start(self, sockets: AcceptedSockets) -> "ConnectionSource":
        """Make connections of what comes from now on."""
        self._sockets = sockets
        return self

    def close(self) -> None:
        self._sockets = None

    def received(self, record: Record) -> None:
        """Handle a record with an accepted connection."""
        if record.descriptor is None:
            self._parent().send(Kind.RETURNED, record.number, record.slot)
            return
        # The family is told, since Python would need three system calls to find it out.
        accepted = socket.socket(self._family, socket.SOCK_STREAM, 0, record.descriptor)
        address = _address_of(accepted)
        shortage = SHORTAGES.get(record.kind)
        if self._sockets is None or (
            shortage is not None and not self._table.can_make_room(address, shortage)
        ):
            accepted.close()
            self._parent().send(Kind.RETURNED, record.number, record.slot)
            return
        # Before anything is read: the parent may give away again what was not taken.
        self._parent().send(Kind.TAKEN, record.number)
        connection = self._sockets.make()
        self._table.expect(connection, record.number, record.kind)
        self._sockets.take(accepted, address, connection)


def _address_of(accepted: socket.socket) -> str:
    """Return the caller's address; empty if the caller is gone, which its connection will find."""
    with suppress(OSError, IndexError, TypeError):
        return str(accepted.getpeername()[0])
    return ""
