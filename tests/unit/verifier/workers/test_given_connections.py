"""A worker's connections are admitted as the parent said, and it is told of each end once."""

from keyturn_shared.http_server.connections import ConnectionLimits
from keyturn_verifier.workers.given_connections import GivenConnections
from keyturn_verifier.workers.records import Kind


class Parent:
    """Records what a parent is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Kind, int]] = []

    def send(self, kind: Kind, number: int = 0, slot: int = 0) -> None:
        self.told.append((kind, number))


def table_of(parent: Parent) -> GivenConnections:
    """Return a table whose own limits would admit one connection."""
    return GivenConnections(ConnectionLimits(total=1, per_address=1), lambda: parent)


def admitted(table: GivenConnections, connection: str, number: int, kind: Kind = Kind.CONNECTION) -> bool:
    table.expect(connection, number, kind)
    return table.admit(connection, "10.0.0.1", lambda: None)


def test_the_limits_are_the_parents() -> None:
    table = table_of(Parent())
    assert all(admitted(table, f"c{number}", number) for number in range(3))
    assert len(table) == 3


def test_a_connection_is_reported_once_when_it_ends() -> None:
    parent = Parent()
    table = table_of(parent)
    admitted(table, "first", 7)
    for _ in range(2):
        table.remove("first")
    assert parent.told == [(Kind.CLOSED, 7)]


def test_beyond_a_limit_an_idle_connection_gives_way_and_no_longer_counts() -> None:
    for kind in (Kind.CONNECTION_BEYOND_ADDRESS, Kind.CONNECTION_BEYOND_ALL):
        parent = Parent()
        table = table_of(parent)
        admitted(table, "first", 1)
        assert admitted(table, "second", 2, kind)
        assert parent.told == [(Kind.CLOSED, 1)]
        table.is_busy("second")
        assert not admitted(table, "third", 3, kind)
        assert parent.told == [(Kind.CLOSED, 1), (Kind.CLOSED, 3)]
        table.remove("third")
        assert len(parent.told) == 2
        assert (table.gave_way, table.turned_away) == (1, 1)


def test_one_that_the_parent_refuses_pushes_out_none() -> None:
    parent = Parent()
    table = table_of(parent)
    admitted(table, "first", 1)
    assert not admitted(table, "second", 2, Kind.CONNECTION_REFUSED)
    assert parent.told == [(Kind.CLOSED, 2)]
    assert len(table) == 1
