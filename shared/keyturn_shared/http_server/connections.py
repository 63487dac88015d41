"""Limits on a server's connections, in all and per address, and the choice of which one to close.

An idle connection is closed first, one of the address with the most connections. So an address that holds
many open shuts out no others.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from keyturn_shared.network.trusted_proxies import network_of


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """``total``: connections at a time. ``per_address``: of these from one address, or one IPv6 /64 network.
    ``is_exempt``: tells which addresses have no limit of their own, such as a gateway's."""

    total: int = 4096
    per_address: int = 1024
    is_exempt: Callable[[str], bool] = lambda _: False


class Shortage(Enum):
    """A limit that leaves no room for one more connection."""

    OF_ADDRESS = auto()
    OF_ALL = auto()


@dataclass(slots=True)
class _Caller:
    is_exempt: bool
    open: int = 0
    idle: dict[object, Callable[[], object]] = field(default_factory=dict)
    """A callback that closes each idle connection, the longest idle first."""


@dataclass(slots=True)
class _Place:
    network: str
    caller: _Caller
    end: Callable[[], object]


class ConnectionTable:
    """The connections of one server. ``turned_away`` and ``gave_way`` count."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._callers: dict[str, _Caller] = {}
        self._places: dict[object, _Place] = {}
        self.turned_away = 0
        self.gave_way = 0

    def __len__(self) -> int:
        return len(self._places)

    def admit(self, connection: object, address: str, end: Callable[[], object]) -> bool:
        """Return whether there is room for a connection. It counts as idle until ``is_busy``.

        ``address``: empty if unknown. ``end``: closes it at once, to make room. A connection that is already
        in the table keeps its place, and may register another ``end``.
        """
        place = self._places.get(connection)
        if place is not None:
            place.end = place.caller.idle[connection] = end
            return True
        network = network_of(address)
        caller = self._callers.get(network)
        if caller is None:
            caller = _Caller(is_exempt=not address or self._limits.is_exempt(address))
        if not self._make_room(caller, self.shortage(connection, caller.open, is_exempt=caller.is_exempt)):
            self.turned_away += 1
            return False
        self._callers[network] = caller
        self._places[connection] = _Place(network, caller, end)
        caller.open += 1
        caller.idle[connection] = end
        return True

    def can_make_room(self, address: str, shortage: Shortage) -> bool:
        """Tell whether an idle connection could give way to one more of this address."""
        if shortage is Shortage.OF_ALL:
            return any(caller.idle for caller in self._callers.values())
        caller = self._callers.get(network_of(address))
        return caller is not None and bool(caller.idle)

    def connections(self) -> list[object]:
        """Return the connections in the table."""
        return list(self._places)

    @property
    def idle(self) -> int:
        """The number of idle connections."""
        return sum(len(caller.idle) for caller in self._callers.values())

    def is_busy(self, connection: object) -> None:
        """Note that a request has begun to arrive on it."""
        place = self._places.get(connection)
        if place is not None:
            place.caller.idle.pop(connection, None)

    def is_idle(self, connection: object) -> None:
        """Note that it has nothing to do."""
        place = self._places.get(connection)
        if place is not None:
            place.caller.idle[connection] = place.end

    def remove(self, connection: object) -> None:
        """Remove a connection, if it is still in the table."""
        place = self._places.pop(connection, None)
        if place is None:
            return
        caller = place.caller
        caller.idle.pop(connection, None)
        caller.open -= 1
        if not caller.open:
            del self._callers[place.network]

    def shortage(self, connection: object, open_of_address: int, *, is_exempt: bool) -> Shortage | None:
        """Return the limit that a new connection would exceed. ``open_of_address``: the connections of its
        address, without it."""
        if not is_exempt and open_of_address >= self._limits.per_address:
            return Shortage.OF_ADDRESS
        return Shortage.OF_ALL if len(self._places) >= self._limits.total else None

    def _make_room(self, caller: _Caller, shortage: Shortage | None) -> bool:
        if shortage is Shortage.OF_ADDRESS:
            return self._end_idle(caller)
        if shortage is None:
            return True
        greediest = max(
            (each for each in self._callers.values() if each.idle),
            key=lambda each: (not each.is_exempt, each.open),
            default=None,
        )
        return greediest is not None and self._end_idle(greediest)

    def _end_idle(self, caller: _Caller) -> bool:
        for connection, end in caller.idle.items():
            self.remove(connection)
            self.gave_way += 1
            end()
            return True
        return False
